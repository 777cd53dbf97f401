// Serves the gallery (or another folder of plain pages) under the policy of the real pages, with the real psa.css and psa.js.
//
//   node tests/browser/serve.mjs [--port 8770] [--root tests/browser/gallery]
//
// Any path that ends in psa.css or psa.js is answered from host/src/web/assets. A POST is answered with the page itself,
// so that the script's swap can be tried; POST /redirect answers 303 to /states.html.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { args } from './browser.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const ASSETS = path.join(here, '../../host/src/web/assets');
const CSP = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
  + "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.png': 'image/png' };

export function serve({ port = 0, root = path.join(here, 'gallery') } = {}) {
  const server = http.createServer((req, res) => {
    const name = decodeURIComponent(new URL(req.url, 'http://x').pathname);
    if (name === '/redirect') return res.writeHead(303, { Location: '/states.html' }).end();
    const asset = /\/(psa\.(?:css|js))$/.exec(name);
    const file = asset ? path.join(ASSETS, asset[1]) : path.join(root, path.normalize(name));
    fs.readFile(file, (error, body) => {
      if (error) return res.writeHead(404, { 'Content-Security-Policy': CSP }).end();
      res.writeHead(200, {
        'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP,
        'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store',
      });
      res.end(body);
    });
  });
  return new Promise((ready) => server.listen(port, '127.0.0.1', () => ready({ base: `http://127.0.0.1:${server.address().port}`, close: () => server.close() })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const a = args();
  const { base } = await serve({ port: +(a.port ?? 8770), root: a.root && path.resolve(a.root) });
  console.log(base);
}
