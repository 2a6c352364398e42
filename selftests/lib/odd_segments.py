#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Odd segments for a listener, made with scapy, and what it answers.

usage: odd_segments.py ADDRESS PORT COMMAND...

COMMAND is a listener that writes what it receives to its standard output, and tells
"waiting" on standard error (stack or ksock). Those of LISTEN meet one listener, which
serves somebody in the end, each of CONNECTION a connection with a listener of its own. A line for each: its name, the
answers, and what the listener's program received. Sequence numbers are relative to
what the other end expects, so that lines of two listeners can be compared.

The segments come from an address that no kernel owns: nobody resets what it does not
know. The device is eth0.
"""
import atexit
import itertools
import random
import select
import socket
import subprocess
import sys
import time

from scapy.layers.inet import IP, TCP, Ether, IPOption_NOP, IPOption_LSRR, fragment
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN)
from scapy.packet import Raw

DEVICE = "eth0"
QUIET = 0.35        # nothing more is said after so long; less than what comes by itself
WINDOW = 30000


class Wire:
    """The packet socket, and the address behind it."""

    def __init__(self, address):
        self.v6 = ":" in address
        self.here = "fd00::66" if self.v6 else "10.0.0.66"
        self.there = address
        self.port = 20000
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind((DEVICE, 0))
        self.mac = self.socket.getsockname()[4].hex(":")
        out = subprocess.run(["ip", "neigh", "show", address], capture_output=True,
                             text=True, check=True).stdout.split()
        self.ether = Ether(src=self.mac, dst=out[out.index("lladdr") + 1],
                           type=0x86dd if self.v6 else 0x800)

    def ip(self, **fields):
        make = IPv6 if self.v6 else IP
        return make(src=self.here, dst=self.there, **fields)

    def send(self, packet, trailer=b""):
        self.socket.send(bytes(self.ether / packet) + trailer)

    def receive(self, seconds):
        """The next segment for our port, or None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.socket], [], [], left)[0]:
                break
            packet = Ether(self.socket.recv(65536))
            if packet.dst == self.mac and TCP in packet and \
                    packet.payload.dst == self.here and packet[TCP].dport == self.port:
                return packet[TCP]
        return None


class Listener:
    """The program under test."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        atexit.register(self.process.kill)
        line = self.process.stderr.readline()
        if b"waiting" not in line:
            raise SystemExit(f"the listener does not listen: {line.decode()}")

    def end(self):
        """What it received."""
        self.process.terminate()
        data, errors = self.process.communicate(timeout=60)
        if self.process.returncode < 0 and self.process.returncode != -15:
            raise SystemExit(f"the listener died: {errors.decode()}")
        return data


class Peer:
    """One of our ports. seq and ack are what is right to send."""

    def __init__(self, wire, port):
        self.wire, self.port = wire, port
        wire.port += 1
        self.seq = self.first = random.getrandbits(32)
        self.ack = self.base = 0

    def tcp(self, flags, data=b"", at=0, ack=0, **fields):
        fields.setdefault("window", WINDOW)
        segment = TCP(sport=self.wire.port, dport=self.port, flags=flags,
                      seq=(self.seq + at) & 0xffffffff,
                      ack=(self.ack + ack) & 0xffffffff if "A" in flags else 0, **fields)
        return segment / Raw(data) if data else segment

    def send(self, *args, **fields):
        self.wire.send(self.wire.ip() / self.tcp(*args, **fields))

    def say(self, data, flags="PA", **fields):
        self.send(flags, data, **fields)
        self.seq += len(data)

    def connect(self):
        self.send("S", options=[("MSS", 1400), ("SAckOK", b"")])
        answer = self.wire.receive(2)
        if answer is None or answer.flags != "SA":
            raise SystemExit(f"no connection: {answer!r}")
        self.seq += 1
        self.first = self.seq
        self.ack = self.base = answer.seq + 1
        self.send("A")

    def describe(self, segment):
        ack = (segment.ack - self.first) & 0xffffffff
        seq = (segment.seq - self.base) & 0xffffffff if self.base else 0
        if "S" in segment.flags:
            seq = 0     # chosen by the listener
        ack = ack if ack < 1 << 31 else ack - (1 << 32)
        seq = seq if seq < 1 << 31 else seq - (1 << 32)
        sack = [o[1] for o in segment.options if o[0] == "SAck"]
        text = str(segment.flags)
        if "S" in segment.flags or self.base:
            text += f" {seq}"
        if "A" in segment.flags:
            text += f":{ack}"
        if sack:
            text += " sack " + ",".join(str((edge - self.first) & 0xffffffff) for edge in sack[0])
        return text

    def answers(self, seconds=QUIET):
        said = []
        while (segment := self.wire.receive(seconds)) is not None:
            said.append(self.describe(segment))
        # What is sent again comes when it comes.
        return [answer for answer, _ in itertools.groupby(said)]


# ---------------------------------------------------------------- at a listener

def raw_options(data):
    """Option bytes as they are: scapy would mend them."""
    def put(peer, flags="S"):
        packet = peer.tcp(flags, dataofs=5 + len(data) // 4) / Raw(data)
        peer.wire.send(peer.wire.ip() / packet)
    return put


def truncated(peer):
    """The IP header ends before that of TCP does."""
    ip = peer.wire.ip(plen=8) if peer.wire.v6 else peer.wire.ip(len=28)
    peer.wire.send(ip / peer.tcp("S"))


def fragments(peer):
    for part in fragment(peer.wire.ip() / peer.tcp("S", b"x" * 64), 24):
        peer.wire.send(part)


def behind(*headers):
    return lambda peer: peer.wire.send(
        peer.wire.ip() / headers[0] / peer.tcp("S") if headers else peer.tcp("S"))


def sent(*args, **fields):
    return lambda peer: peer.send(*args, **fields)


def from_itself(peer):
    ip, tcp = peer.wire.ip(), peer.tcp("S")
    ip.src, tcp.sport = ip.dst, tcp.dport
    peer.wire.send(ip / tcp)


LISTEN = [
    ("no flags", sent("")),
    ("FIN", sent("F")),
    ("christmas tree", sent("FPU")),
    ("all flags", sent("FSRPAUEC")),
    ("SYN FIN", sent("SF")),
    ("SYN RST", sent("SR")),
    ("RST", sent("R")),
    ("RST ACK", sent("RA")),
    ("ACK", sent("A")),
    ("SYN ACK", sent("SA")),
    ("FIN ACK", sent("FA")),
    ("URG ACK", sent("UA", urgptr=7)),
    ("SYN URG PSH", sent("SUP", urgptr=7)),
    ("SYN with data", sent("S", b"early")),
    ("SYN, reserved bits", sent("S", reserved=7)),
    ("SYN, window 0", sent("S", window=0)),
    ("SYN, bad checksum", sent("S", chksum=0x1234)),
    ("SYN, header of 16 bytes", sent("S", dataofs=4)),
    ("SYN, no header at all", sent("S", dataofs=0)),
    ("SYN, header longer than the packet", sent("S", dataofs=15)),
    ("SYN, IP ends within the header", truncated),
    ("SYN from the listener itself", from_itself),
    ("SYN, option of length 0", raw_options(b"\xfd\x00\x02\x04")),
    ("SYN, option of length 1", raw_options(b"\x02\x01\x02\x04")),
    ("SYN, option beyond the header", raw_options(b"\x01\x01\xfd\x20")),
    ("SYN, MSS of 3 bytes", raw_options(b"\x02\x03\x05\x01")),
    ("SYN, MSS 0", raw_options(b"\x02\x04\x00\x00")),
    ("SYN, scale 255", raw_options(b"\x03\x03\xff\x01")),
    ("SYN, 40 bytes of garbage", raw_options(bytes(range(7, 47)))),
    ("SYN, SACK blocks", raw_options(b"\x05\x0a" + bytes(8) + b"\x01\x01")),
]
LISTEN_V4 = [
    ("SYN, IP options", lambda p: p.wire.send(
        p.wire.ip(options=[IPOption_NOP()] * 4) / p.tcp("S"))),
    ("SYN, source route", lambda p: p.wire.send(
        p.wire.ip(options=[IPOption_LSRR(routers=["10.0.0.1"])]) / p.tcp("S"))),
    ("SYN in fragments", fragments),
]
LISTEN_V6 = [
    ("SYN behind hop-by-hop options", behind(IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)]))),
    ("SYN behind destination options", behind(IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)]))),
    ("SYN behind a routing header of type 0", behind(IPv6ExtHdrRouting(addresses=["fd00::1"]))),
    ("SYN in an only fragment", behind(IPv6ExtHdrFragment(id=7))),
]


# ------------------------------------------------------------ in a connection

def overlap_behind(peer):
    peer.send("PA", b"B" * 10, at=5)
    peer.say(b"A" * 10)
    peer.seq += 5


def overlap_queued(peer):
    peer.send("PA", b"X" * 10, at=10)
    peer.send("PA", b"Y" * 10, at=15)
    peer.send("PA", b"W" * 4, at=8)
    peer.say(b"Z" * 10)
    peer.seq += 15


def backwards(peer):
    data = bytes(range(65, 85))
    for i in reversed(range(len(data))):
        peer.send("PA", data[i:i + 1], at=i)
    peer.seq += len(data)


def fin_first(peer):
    peer.send("FA", at=10)
    peer.say(b"0123456789")
    peer.seq += 1


def after_fin(peer):
    peer.send("FA")
    peer.seq += 1
    peer.answers(0.1)   # the FIN, before it is sent again: the listener soon ends
    peer.say(b"too late")


def reset(peer):
    peer.send("R")
    peer.say(b"to nobody")


def padded(peer):
    peer.wire.send(peer.wire.ip() / peer.tcp("PA", b"data"), trailer=b"trailer")
    peer.seq += 4


def with_options(data):
    def put(peer):
        packet = peer.tcp("PA", dataofs=5 + len(data) // 4) / Raw(data + b"data")
        peer.wire.send(peer.wire.ip() / packet)
        peer.seq += 4
    return put


def said(data, **fields):
    return lambda peer: peer.say(data, **fields)


def urgent(pointer):
    return lambda peer: peer.say(b"abcdef", flags="UPA", urgptr=pointer)


CONNECTION = [
    ("SYN", sent("S")),
    ("SYN in the window", sent("S", at=100)),
    ("SYN before the window", sent("S", at=-100000)),
    ("SYN ACK", sent("SA")),
    ("SYN FIN ACK with data", sent("SFA", b"data")),
    ("RST in the window", sent("R", at=100)),
    ("RST ACK in the window", sent("RA", at=100)),
    ("RST before the window", sent("R", at=-100000)),
    ("RST behind the window", sent("R", at=10000000)),
    ("RST", reset),
    ("no flags", sent("", b"data")),
    ("data without ACK", sent("P", b"data")),
    ("FIN without ACK", sent("F")),
    ("christmas tree", sent("FPU", b"data")),
    ("data before the window", sent("PA", b"data", at=-100000)),
    ("data behind the window", sent("PA", b"data", at=10000000)),
    ("an ACK of what was not sent", sent("A", ack=1000)),
    ("data with an ACK of what was not sent", sent("PA", b"data", ack=1000)),
    ("an ACK of long ago", sent("PA", b"data", ack=-100000000)),
    ("a probe: the byte before", sent("A", b"x", at=-1)),
    ("a probe: no byte", sent("A", at=-1)),
    ("bad checksum", sent("PA", b"data", chksum=0x1234)),
    ("header of 16 bytes", sent("PA", b"data", dataofs=4)),
    ("header longer than the packet", sent("PA", b"data", dataofs=15)),
    ("data", said(b"data")),
    ("data, and a trailer of the frame", padded),
    ("data, reserved bits", said(b"data", reserved=7)),
    ("data, window 0", said(b"data", window=0)),
    ("urgent data", urgent(3)),
    ("urgent pointer behind the data", urgent(100)),
    ("urgent pointer 0", urgent(0)),
    ("timestamps nobody agreed to", with_options(b"\x01\x01\x08\x0a" + bytes(8))),
    ("SACK blocks of what was not sent", with_options(b"\x01\x01\x05\x0a" + bytes(8))),
    ("option of length 0", with_options(b"\xfd\x00\x02\x04")),
    ("option beyond the header", with_options(b"\x01\x01\xfd\x20")),
    ("40 bytes of garbage", with_options(bytes(range(7, 47)))),
    ("a signature (MD5) nobody agreed to", with_options(b"\x01\x01\x13\x12" + bytes(16))),
    ("a hole", sent("PA", b"data", at=10)),
    ("overlapping the next", overlap_behind),
    ("overlapping in the queue", overlap_queued),
    ("twenty bytes backwards", backwards),
    ("FIN before its data", fin_first),
    ("data after FIN", after_fin),
]


def noise(peer, count=300):
    """Anything, near what would be right. Answers are as they are."""
    for _ in range(count):
        peer.send("".join(f for f in "FSPAUEC" if random.random() < 0.4),
                  random.randbytes(random.choice((0, 1, 700))),
                  at=random.randint(-3000, 40000), ack=random.randint(-3, 3),
                  urgptr=random.choice((0, 1, 65535)), window=random.getrandbits(16),
                  reserved=random.getrandbits(3))
    while peer.wire.receive(QUIET):
        pass
    return ["..."]


def report(name, answers, data=None):
    print(name, "; ".join(answers) or "nothing",
          "" if data is None else f"received {data.decode('latin-1')!r}", sep="\t", flush=True)


def of_listener(wire, port, command):
    listener = Listener(command + ["--repeat", "2"])    # not point-to-point
    for name, send in LISTEN + (LISTEN_V6 if wire.v6 else LISTEN_V4):
        peer = Peer(wire, port)
        send(peer)
        answers = peer.answers()
        report(name, answers)
        peer.send("R", at=1)
    peer = Peer(wire, port)
    peer.connect()
    peer.say(b"still there")
    peer.answers()
    peer.send("R")
    report("and after all that", [], listener.end())


def of_connection(wire, port, command):
    for name, send in CONNECTION + [("noise", noise)]:
        listener = Listener(command)
        peer = Peer(wire, port)
        peer.connect()
        answers = send(peer) or peer.answers()
        peer.send("R")
        data = listener.end()
        report(name, answers, None if name == "noise" else data)


def main():
    address, port, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    random.seed(1)
    wire = Wire(address)
    of_listener(wire, port, command)
    of_connection(wire, port, command)


main()
