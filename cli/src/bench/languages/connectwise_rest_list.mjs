// The same by connectwise-rest, as its documentation lists tickets.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { ManageAPI } = createRequire(`${process.cwd()}/`)("connectwise-rest");
const { psa } = JSON.parse(process.argv[2]);
const manage = new ManageAPI({
  companyId: psa.company,
  companyUrl: psa.url.replace("https://", ""),
  publicKey: psa.public_key,
  privateKey: psa.private_key,
  clientId: psa.client_id,
});
for await (const _ of createInterface({ input: process.stdin })) {
  const started = performance.now();
  const tickets = await manage.paginate(manage.ServiceAPI.getServiceTickets, { pageSize: 1000 }, {});
  console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, count: tickets.length }));
}
