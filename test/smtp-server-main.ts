/** smtp-server.ts as a process, for a namespace: on the port of its first word; each mail is a line of JSON. */
import { smtpServer } from "./smtp-server.ts";

const server = await smtpServer({}, Number(process.argv[2]));
process.stdout.write("listening\n");
let told = 0;
setInterval(() => {
  for (const mail of server.mails.slice(told)) process.stdout.write(`${JSON.stringify(mail)}\n`);
  told = server.mails.length;
}, 20);
