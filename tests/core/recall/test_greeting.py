import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core.recall import greeting


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Hi Bob,\n\nthe report", ("bob",)),
        ("Bob,\nthe report", ("bob",)),
        ("Bob - the report is late", ("bob",)),
        ("Dear Mr. Smith,\n", ("smith",)),
        ("Hello Bob and Carol,\n", ("bob", "carol")),
        ("Good morning Bob!\n", ("bob",)),
        ("Bonjour Hélène,\n\nci-joint", ("helene",)),
        ("Chère Madame Dupont,\n", ("dupont",)),
        ("Salut Jean-Marc,\n", ("jean-marc",)),
        ("Bonjour Marie et Luc,\n", ("marie", "luc")),
        ("Lieber Hans,\n", ("hans",)),
        ("Sehr geehrte Frau Weber,\n", ("weber",)),
        ("Hola María,\n", ("maria",)),
        ("Ciao Luca,\n", ("luca",)),
        ("Beste Joost,\n", ("joost",)),
    ],
)
def test_the_greeted_are_known_in_six_languages(text: str, names: tuple[str, ...]) -> None:
    assert greeting.names(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hi all,\n",
        "Dear Sir or Madam,\n",
        "Please see attached.",
        "Thanks, will do",
        "Bonjour à tous,\n",
        "Bonjour Madame,\n",
        "Madame, Monsieur,\n",
        "Bonjour et bonne année,\n",
        "Cher Docteur,\n",
        "ok",
        "FYI\n",
        "Hi,\nI will",
    ],
)
def test_nobody_in_particular_is_greeted(text: str) -> None:
    assert greeting.names(text) == ()


@pytest.mark.parametrize(
    ("name", "parts", "least"),
    [
        ("bob", ("bob", "stone"), 1.0),
        ("bob", ("robert", "stone"), 0.9),
        ("robert", ("bob", "stone"), 0.9),
        ("smith", ("john", "smith"), 1.0),
        ("smith", ("jsmith",), 0.7),
        ("chris", ("christopher", "lee"), 0.8),
        ("jp", ("jane", "peters"), 0.6),
    ],
)
def test_a_name_fits_its_person(name: str, parts: tuple[str, ...], least: float) -> None:
    assert greeting.fits(name, parts) >= least


@pytest.mark.parametrize(
    ("name", "parts"), [("bob", ("carol", "king")), ("marie", ("paul", "durand")), ("bob", ())]
)
def test_a_name_does_not_fit_somebody_else(name: str, parts: tuple[str, ...]) -> None:
    assert greeting.fits(name, parts) == 0


@given(st.text(max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    assert len(greeting.names(text)) <= 4
