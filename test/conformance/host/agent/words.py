"""The words of a programme and of a report: what may hold a blank is in hexadecimal digits, "-" is nothing."""


def packed(data):
    return data.hex() or "-"


def unpacked(word):
    return b"" if word == "-" else bytes.fromhex(word)


def octets(mac):
    return bytes.fromhex(mac.replace(":", ""))


def read(path):
    with open(path, "rb") as file:
        return file.read()
