"""Whom a mail greets: the names in its first lines, and whether such a name can be a given person's.

For greetings in English, French, German, Spanish, Italian and Dutch; accents and case do not matter.
"""

import re

from mailguard.core.prose import fold

_LINES = 4
_LONGEST = 90

_OPENING = (
    r"(?:good (?:morning|afternoon|evening|day)|hi|hello|hey|hiya|dear|greetings|morning|thanks|thank you"
    r"|yo|ok|okay|yes|no|sorry|well"
    r"|bonjour|bonsoir|salut|coucou|cher|chere|chers|cheres|re-?bonjour|merci"
    r"|hallo|guten (?:tag|morgen|abend)|moin|servus|lieber|liebe|liebes|sehr geehrter?|sehr geehrte"
    r"|hola|buen(?:os|as) (?:dias|tardes|noches)|estimad[oa]s?|querid[oa]s?"
    r"|ciao|salve|buongiorno|buonasera|caro|cara|gentile|egregio|spettabile"
    r"|beste|geachte|goedemorgen|goedemiddag|goedendag|dag|hoi)"
)
_TITLE = (
    r"(?:mr|mrs|ms|miss|dr|prof|professor|sir|madam|monsieur|madame|mademoiselle|maitre|m|mme|mlle|me|docteur"
    r"|herrn?|frau|doktor|senora?|senorita|sr|sra|signora?|sig|dott|dottoressa|heer|mevrouw|de heer)"
)
_NAME = r"[^\W\d_]{2,15}(?:-[^\W\d_]{2,15})?"
_GREETING = re.compile(
    rf"(?P<opening>{_OPENING}\b[\s,!]{{1,3}}(?:again|there|encore|zusammen)?[\s,]{{0,2}})?(?P<title>(?:{_TITLE}\b\.?\s{{1,2}}){{0,3}})"
    rf"(?P<names>{_NAME}(?:\s{{1,2}}{_NAME}){{0,2}}(?:\s?(?:,|&|/|\band\b|\bet\b|\bund\b|\by\b|\be\b|\ben\b)\s?{_NAME}){{0,5}})"
    r"\s{0,2}(?P<end>[,:;!.\-\u2013\u2014]|$)",
)
_SPLIT = re.compile(r"\s?(?:,|&|/|\band\b|\bet\b|\bund\b|\by\b|\be\b|\ben\b)\s?")
# Words that stand where a name would stand.
_NOT_NAMES = """
all everybody everyone team folks guys there hi hello hey dear thanks thank you please yes no ok
okay fyi attached see here the this that these it we he she they what when where how who why per as
is are if for from to in on at of and or but not just also still sorry great good sounds sure well
done agreed subject re fw fwd note sir madam sirs ladies gentlemen tous toutes equipe collegues
messieurs mesdames bonjour merci oui non voici ci joint le la les un une vous nous je tu zusammen
kollegen damen herren anbei danke ja nein der die das ich wir sie todos todas equipo gracias adjunto
tutti team grazie allegato allen iedereen bedankt monday tuesday wednesday thursday friday saturday
sunday today tomorrow yesterday my your our his her their can could would will should do did does
have has had let get go be been january february march april may june july august september october
november december regards cheers best start date end time much call group summary updated update
reminder approved executive alert delay test news boys yep yeah yup wow unfortunately actually
currently nice right fine cool ah oh hmm whoops fixes fixed fix applied lgtm clean enable review
attn memo urgent confidential hope happy congratulations welcome any some one two new now then so
more most only very monsieur madame mademoiselle mme mlle docteur maitre frau herr herrn signora signore
signor senor senora senores mevrouw heer cliente clients clientes ami amie amis amies confrere
confreres consoeur partenaire partenaires adherent adherents annee fetes bonne bon matin soir
"""
_NOBODY = frozenset(_NOT_NAMES.split())

_FAMILIES = """
robert bob rob bobby robbie bert; william bill will billy willie liam; richard rick dick rich ricky;
james jim jimmy jamie; john johnny jon jack; jonathan jon jonny; michael mike mick mickey mikey; thomas
tom tommy; charles charlie chuck chas; joseph joe joey; david dave davey; daniel dan danny; edward ed
eddie ted ned; edmund ed eddie; theodore ted teddy theo; steven steve stephen stevie stephane; kenneth
ken kenny; ronald ron ronnie; donald don donnie; anthony tony antoine; andrew andy drew andre;
christopher chris kit topher; christian chris; christine chris christina chrissy tina; patrick pat paddy;
patricia pat patty trish tricia patti; matthew matt matty; timothy tim timmy; gregory greg; jeffrey jeff
geoff geoffrey jeffery; lawrence larry laurence; gerald gerry jerry; jerome jerry; raymond ray; samuel
sam sammy; samantha sam sammie; benjamin ben benny; nicholas nick nicky nicolas; alexander alex al sandy
alexandre alec sasha; alexandra alex sandra sandy lexi; albert al bert; alan al allan allen; frederick
fred freddy freddie frederic; francis frank frankie; franklin frank; philip phil phillip philippe;
douglas doug; leonard len lenny leo; vincent vince vinny; walter walt wally; zachary zach zack; joshua
josh; jacob jake; nathaniel nate nathan nat; peter pete; paul paulie; mark marc marcus; eric erik rick;
frank francois; louis lou louie lewis; elizabeth liz beth betty lisa eliza libby betsy; katherine kate
kathy katie cathy catherine kathryn kat kathleen kay; margaret maggie meg peggy marge margie; jennifer
jen jenny jenn; susan sue susie suzanne suzy; deborah debbie deb debra; barbara barb babs; rebecca becky
becca; victoria vicky vicki tori; cynthia cindy; pamela pam; kimberly kim kimberley; jessica jess jessie;
sandra sandy; judith judy judi; virginia ginny ginger; theresa terry teresa terri tess; teresa terri;
terrence terry terence; dorothy dot dottie; abigail abby gail; amanda mandy; angela angie; melissa missy
mel; melanie mel; stephanie steph; valerie val; veronica ronnie; jacqueline jackie; janet jan; janice
jan; nancy nan; gabriel gabe; gabrielle gaby gabi; maximilian max; johannes hans johann jan; hans johann;
friedrich fritz; wolfgang wolf; sebastian seb bastian; ignacio nacho; francisco paco pancho; jose pepe;
manuel manolo; giuseppe beppe pino; giovanni gianni; luigi gigi; domenico mimmo; jean-pierre jp;
jean-claude jc; jean-marc jm; emmanuel manu; bernard bernie; stanley stan; harold harry hal; henry harry
hank; arthur art; clifford cliff; eugene gene; leslie les; mitchell mitch; russell russ; stuart stu
stewart; sylvester sly; curtis curt; kristina kris kristin kristen; kristopher kris; marianne mary; maria
mary marie; geneva gen; trevor trev; derrick derek; brad bradley;
"""


def _nicknames() -> dict[str, frozenset[str]]:
    other: dict[str, set[str]] = {}
    for family in _FAMILIES.split(";"):
        names = family.split()
        for short in names[1:]:
            other.setdefault(names[0], set()).add(short)
            other.setdefault(short, set()).add(names[0])
    return {name: frozenset(others) for name, others in other.items()}


NICKNAMES = _nicknames()


def names(own: str) -> tuple[str, ...]:
    """The folded names that the first lines of a text address, at most four; () where they greet nobody."""
    lines = [line.strip() for line in own[:800].lstrip().split("\n", _LINES)[:_LINES]]
    for line in lines:
        found = _in_line(line[:_LONGEST]) if line else ()
        if found:
            return found
        if len(line) > 40:
            break
    return ()


def _in_line(line: str) -> tuple[str, ...]:
    match = _GREETING.match(fold(line))
    if match is None:
        return ()
    said = match["opening"] or match["title"]
    # "bob, see below" is a greeting in small letters; "bob see below" is none.
    small = not line[:1].isupper() and len(line) > match.end() + 1
    if not said and small and match["end"] != ",":
        return ()
    if not said and match["end"] == "." and len(line) > match.end():
        return ()
    found = [
        name
        for part in _SPLIT.split(match["names"])
        for name in part.split()
        if name not in _NOBODY and not name.endswith("-by")
    ]
    parts = match["names"].split()
    if not said and (len(parts) > 1 and len(found) != len(_SPLIT.sub(" ", match["names"]).split())):
        # "Please see attached:" has no opening and is no list of names.
        return ()
    return tuple(dict.fromkeys(found))[:4]


def fits(name: str, parts: tuple[str, ...]) -> float:
    """How well a name in a greeting fits a person with these name parts: 0 (it is somebody else) to 1."""
    best = 0.0
    alike = NICKNAMES.get(name, frozenset())
    for part in parts:
        if part == name:
            return 1.0
        best = max(best, _part_fits(name, part, alike))
    if "-" in name and "".join(part[:1] for part in name.split("-")) in parts:
        # Jean-Paul, who is jp.durand.
        best = max(best, 0.9)
    if len(name) == 2 and len(parts) >= 2 and name[0] == parts[0][0] and name[1] == parts[-1][0]:
        # Initials: "JP," for jane.peters.
        best = max(best, 0.6)
    return best


def _part_fits(name: str, part: str, alike: frozenset[str]) -> float:
    if part in alike:
        return 0.9
    if len(name) >= 3 and part.startswith(name):
        return 0.8 if len(part) - len(name) < 5 else 0.6
    if len(name) >= 4 and part.endswith(name):
        # One letter and the surname in one piece: jsmith.
        return 0.7
    if len(part) >= 4 and name.startswith(part):
        return 0.6
    if len(name) >= 5 and len(part) >= 5 and name[:4] == part[:4]:
        return 0.3
    return 0.0
