"""The host from Python's own ctypes: python3 main.py libpsa_host.so CONFIG CONNECTION."""
import ctypes
import json
import sys


class Bytes(ctypes.Structure):
    _fields_ = [("ptr", ctypes.c_char_p), ("len", ctypes.c_size_t)]


def as_bytes(value):
    text = json.dumps(value).encode()
    return Bytes(text, len(text))


def main(library, config, create):
    psa = ctypes.CDLL(library)
    psa.psa_code_name.restype = psa.psa_reply_message.restype = psa.psa_reply_json.restype = ctypes.c_char_p
    host, reply = ctypes.c_void_p(), ctypes.c_void_p()

    def done(code):
        """The result of a function that has set `reply`; frees the reply."""
        answer = psa.psa_reply_json(reply, None), psa.psa_reply_message(reply)
        psa.psa_reply_free(reply)
        if code:
            raise RuntimeError(f"{psa.psa_code_name(code).decode()}: {answer[1].decode()}")
        return json.loads(answer[0])

    def call(method, params):
        return done(psa.psa_host_call(host, method.encode(), as_bytes(params), None, ctypes.byref(reply)))

    done(psa.psa_host_open(as_bytes(config), None, ctypes.byref(host), ctypes.byref(reply)))
    connection = {"tenant": "t", "connection": call("connections.create", create)["connection"]}
    call("connections.test", connection)
    link = call("links.create", {**connection, "product_ticket": "HD-7", "ticket": "1001"})["link"]
    note = {"visibility": "internal", "text": "Posted from Python.", "wait_ms": 60000}
    print(call("notes.post", {"tenant": "t", "link": link, **note})["state"])
    psa.psa_host_free(host)


main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]))
