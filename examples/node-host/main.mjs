// A product in Node: connects, links a ticket, posts a note, hears of a change.
//
// Usage: node main.mjs LIBRARY CONFIG CONNECTION (the last two are JSON; CONNECTION: parameters of connections.create)
import { once } from "node:events";
import http from "node:http";
import { Host } from "./psa.mjs";

const [library, config, create] = [process.argv[2], JSON.parse(process.argv[3]), JSON.parse(process.argv[4])];
const { tenant } = create;
const host = await Host.open(library, config);

// begin: callback
const server = http.createServer(async (request, response) => {
  const pieces = [];
  let length = 0;
  for await (const piece of request) {
    length += piece.length;
    if (length > 1 << 20) return void response.writeHead(413, { connection: "close" }).end();
    pieces.push(piece);
  }
  const headers = request.rawHeaders.flatMap((name, at, all) => (at % 2 ? [] : [[name, all[at + 1]]]));
  try {
    const answer = await host.callback(request.method, request.url, headers, Buffer.concat(pieces));
    console.log("callback", answer.status);
    response.writeHead(answer.status, answer.headers.flat()).end(answer.body);
  } catch {
    response.writeHead(429).end();
  }
});
const address = new URL(config.callbacks.address);
await once(server.listen(Number(address.port), address.hostname), "listening");
// end: callback

// begin: calls
const { connection } = await host.call("connections.create", create);
const { passed, steps } = await host.call("connections.test", { tenant, connection });
if (!passed) throw new Error(`the test failed: ${JSON.stringify(steps)}`);
const { link } = await host.call("links.create", { tenant, connection, product_ticket: "HD-7", ticket: "1001" });
const note = await host.call("notes.post", {
  tenant, link, visibility: "internal", text: "Posted from Node.", client_key: "note 1", wait_ms: 60_000,
});
console.log("note", note.state);
// end: calls

// begin: events
for (let kind = ""; kind !== "note.added"; ) {
  const event = await host.nextEvent("node", 1_000);
  if (event === null) continue;
  console.log("event", event.event);
  await host.ackEvent("node", event.id);
  kind = event.event;
}
// end: events
server.close();
server.closeAllConnections();
await host.close(1_000);
