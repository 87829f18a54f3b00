// Sends the one mail that standard input describes as {"transport": ..., "mail": ...}.
const { createTransport } = require("nodemailer");

async function main() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  const { transport, mail } = JSON.parse(text);
  const session = createTransport(transport);
  const { rejected, response } = await session.sendMail(mail);
  session.close();
  if (rejected.length) throw new Error(`refused: ${rejected}`);
  console.log(response);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
