// Finds the pages of a running demo that have ids in their addresses, and prints them as JSON.
//
//   node tests/browser/links.mjs --base http://127.0.0.1:PORT

import { args, usage } from './browser.mjs';

const a = args();
if (!a.base) usage('links.mjs --base URL');
const html = async (path) => (await fetch(new URL(path, a.base))).text();
/** The first link whose address fits, in a page. */
const first = (page, pattern) => [...page.matchAll(/href="([^"]+)"/g)].map((m) => m[1].replaceAll('&amp;', '&')).find((href) => pattern.test(href));

const index = await html('/');
const row = (name) => first(index.slice(index.lastIndexOf('<tr', index.indexOf(`<strong>${name}</strong></a>`))), /^\/c\/[^/]+$/);
const ours = row('Our ConnectWise');
const expired = row('ConnectWise - contoso');
const tickets = await html(`${ours}/tickets`);
const held = await html(`${ours}/tickets?state=held`);
const ticket = first(tickets, new RegExp(`^${ours}/tickets/[^/?]+$`));
const operation = first(await html(first(held, new RegExp(`^${ours}/tickets/[^/?]+$`))), new RegExp(`^${ours}/operations/[^/?]+$`));
const entry = first(await html(`${ours}/activity`), new RegExp(`^${ours}/activity/[^/?]+$`));
console.log(JSON.stringify({ ours, expired, ticket, operation, entry }));
