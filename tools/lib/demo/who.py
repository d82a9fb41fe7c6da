#!/usr/bin/python3
import os
import sys


def outcome(attempt, word):
    try:
        attempt()
        return word
    except OSError as error:
        return error.strerror


print("Content-Type: text/plain\n")
print(f"user={os.getuid()}:{os.getgid()}")
print("root=" + "".join(name + " " for name in sorted(os.listdir("/"))))
print("LD_BIND_NOW=" + os.environ["LD_BIND_NOW"])
if len(sys.argv) == 3:
    print("file=" + outcome(lambda: open(sys.argv[1]), "READ"))
    print("process=" + outcome(lambda: os.kill(int(sys.argv[2]), 0), "SIGNALLED"))
