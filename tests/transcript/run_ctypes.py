"""The script through ctypes: run_ctypes.py libpsa_host.so CONFIG SCRIPT prints each answer's code."""

import ctypes
import re
import sys
from pathlib import Path


class Bytes(ctypes.Structure):
    _fields_ = [("ptr", ctypes.c_char_p), ("len", ctypes.c_size_t)]


psa = ctypes.CDLL(sys.argv[1])
psa.psa_code_name.restype = psa.psa_reply_json.restype = ctypes.c_char_p
host, reply = ctypes.c_void_p(), ctypes.c_void_p()
config = sys.argv[2].encode()
assert psa.psa_host_open(Bytes(config, len(config)), None, ctypes.byref(host), None) == 0
saved = {}
for line in Path(sys.argv[3]).read_text().splitlines():
    method, params, name = line.split("\t")
    for sign, value in saved.items():
        params = params.replace(f"@{sign}@", value)
    given = params.encode()
    code = psa.psa_host_call(host, method.encode(), Bytes(given, len(given)), None, ctypes.byref(reply))
    print(f"{method}\t{psa.psa_code_name(code).decode()}")
    if found := name and re.search(f'"{name}":"([^"]*)"', psa.psa_reply_json(reply, None).decode()):
        saved[name] = found[1]
    psa.psa_reply_free(reply)
psa.psa_host_free(host)
