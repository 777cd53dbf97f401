// The few functions of psa_host.h that a product needs, through koffi (https://koffi.dev).
//
// Every function that may wait runs on a thread of koffi's own, so that the event loop goes on.
import koffi from "koffi";
import { promisify } from "node:util";

// begin: stack
koffi.config({ ...koffi.config(), async_stack_size: 2 << 20 });
// end: stack

const OK = 0;
const TIMEOUT = 11;

koffi.opaque("psa_host");
koffi.opaque("psa_reply");
koffi.struct("psa_bytes", { ptr: "const uint8_t *", len: "size_t" });
koffi.struct("psa_header", {
  name: "psa_bytes", value: "psa_bytes", secret: "psa_bytes", flags: "uint32_t", reserved: "uint32_t",
});
koffi.struct("psa_chunk", { bytes: "psa_bytes", source: "uint32_t", encoding: "uint32_t" });
const Request = koffi.struct("psa_http_request", {
  size: "uint32_t", kind: "uint32_t", flags: "uint32_t", timeout_ms: "uint32_t",
  method: "psa_bytes", url: "psa_bytes",
  headers: "psa_header *", header_count: "size_t", body: "psa_chunk *", body_count: "size_t",
});
koffi.struct("psa_http_response", {
  size: "uint32_t", status: "uint32_t", headers: "psa_header *", header_count: "size_t", body: "psa_bytes",
});

const bytes = (value) => {
  const ptr = Buffer.from(value);
  return { ptr, len: ptr.length };
};
const text = ({ ptr, len }) => (len ? koffi.decode.string(ptr, len) : "");
const raw = ({ ptr, len }) => (len ? Buffer.from(koffi.decode(ptr, "uint8_t", len)) : Buffer.alloc(0));

/** What the host answered instead of a result: `code` and `reason` are for programs, the message is for people. */
export class PsaError extends Error {
  constructor(error) {
    super(`${error.code}: ${error.message}`);
    Object.assign(this, { name: "PsaError", code: error.code, reason: error.reason, fields: error.fields });
  }
}

export class Host {
  #psa;
  #host;

  /** Loads the library and opens a host with a configuration. */
  static async open(library, config) {
    const lib = koffi.load(library);
    const waits = (prototype) => promisify(lib.func(prototype).async);
    const psa = {
      open: waits("int psa_host_open(psa_bytes config, void *hooks, _Out_ psa_host **host, _Out_ psa_reply **error)"),
      call: waits(
        "int psa_host_call(psa_host *host, const char *method, psa_bytes params, void *options, _Out_ psa_reply **reply)",
      ),
      nextEvent: waits(
        "int psa_host_next_event(psa_host *host, const char *consumer, uint32_t timeout_ms, _Out_ psa_reply **event)",
      ),
      ackEvent: waits("int psa_host_ack_event(psa_host *host, const char *consumer, uint64_t id)"),
      callback: waits(
        "int psa_host_callback(psa_host *host, psa_http_request *request, _Out_ psa_reply **reply)",
      ),
      close: waits("int psa_host_close(psa_host *host, uint32_t drain_ms)"),
      free: lib.func("void psa_host_free(psa_host *host)"),
      json: lib.func("const char *psa_reply_json(psa_reply *reply, void *len)"),
      id: lib.func("uint64_t psa_reply_id(psa_reply *reply)"),
      http: lib.func("psa_http_response *psa_reply_http(psa_reply *reply)"),
      freeReply: lib.func("void psa_reply_free(psa_reply *reply)"),
    };
    const [host, error] = [[null], [null]];
    const code = await psa.open(bytes(JSON.stringify(config)), null, host, error);
    if (code !== OK) throw Host.#taken(psa, error[0], (json) => new PsaError(json));
    const opened = new Host();
    opened.#psa = psa;
    opened.#host = host[0];
    return opened;
  }

  /** Reads a reply and frees it. */
  static #taken(psa, reply, read) {
    try {
      return read(JSON.parse(psa.json(reply, null)), reply);
    } finally {
      psa.freeReply(reply);
    }
  }

  #outcome(code, [reply], read = (json) => json) {
    return Host.#taken(this.#psa, reply, (json) => {
      if (code !== OK) throw new PsaError(json);
      return read(json, reply);
    });
  }

  /** Calls a method. */
  async call(method, params) {
    const reply = [null];
    return this.#outcome(await this.#psa.call(this.#host, method, bytes(JSON.stringify(params)), null, reply), reply);
  }

  /** The next event of a consumer; null: none came in time. */
  async nextEvent(consumer, timeoutMs) {
    const reply = [null];
    const code = await this.#psa.nextEvent(this.#host, consumer, timeoutMs, reply);
    if (code === TIMEOUT) return Host.#taken(this.#psa, reply[0], () => null);
    return this.#outcome(code, reply, (event, from) => ({ ...event, id: this.#psa.id(from) }));
  }

  /** Acknowledges an event and all before it. */
  async ackEvent(consumer, id) {
    const code = await this.#psa.ackEvent(this.#host, consumer, id);
    if (code !== OK) throw new Error(`psa_host_ack_event answered ${code}`);
  }

  /** Hands on a request that came in below the callback address: path and query, and the body byte for byte. */
  async callback(method, url, headers, body) {
    const none = { ptr: null, len: 0 };
    const request = {
      size: koffi.sizeof(Request), kind: 0, flags: 0, timeout_ms: 0,
      method: bytes(method), url: bytes(url),
      headers: headers.map(([name, value]) => ({
        name: bytes(name), value: bytes(value), secret: none, flags: 0, reserved: 0,
      })),
      header_count: headers.length,
      body: [{ bytes: bytes(body), source: 0, encoding: 0 }],
      body_count: 1,
    };
    const reply = [null];
    return this.#outcome(await this.#psa.callback(this.#host, request, reply), reply, (_, from) => {
      const answer = koffi.decode(this.#psa.http(from), "psa_http_response");
      const count = Number(answer.header_count);
      const pairs = count ? koffi.decode(answer.headers, "psa_header", count) : [];
      return {
        status: answer.status,
        headers: pairs.map(({ name, value }) => [text(name), text(value)]),
        body: raw(answer.body),
      };
    });
  }

  /** Stops the host: running calls have `drainMs` to finish. Call it once, when nothing else is under way. */
  async close(drainMs) {
    await this.#psa.close(this.#host, drainMs);
    this.#psa.free(this.#host);
  }
}
