/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * netchannel: packet queues matched to flows, mapped into a process.
 *
 * An open file of /dev/netchannel is a channel.  SETUP gives it an area of
 * memory, which mmap() maps; BIND gives it flows.  Packets of those flows are
 * then put into the RX ring of the area, and packets that the owner puts into
 * the TX ring are sent.  Documentation/uapi.rst tells the whole story; this
 * file states layout and contract.
 *
 * Byte order is the host's, except where a type says __be16.  All structures
 * have the same layout for 32-bit and 64-bit programs.  A structure passed to
 * an ioctl begins with its own size: a longer one than the kernel knows is
 * accepted if the unknown tail is zero (else E2BIG), a shorter one of an
 * earlier version is taken as zero-extended.  Unknown flag bits and non-zero
 * padding are refused with EINVAL.
 */
#ifndef _UAPI_LINUX_NETCHANNEL_H
#define _UAPI_LINUX_NETCHANNEL_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define NETCHANNEL_ABI_VERSION	1

/* Limits and sizes that are part of the ABI. */
#define NETCHANNEL_DEPTH_DEFAULT	1024	/* descriptors of a ring */
#define NETCHANNEL_DEPTH_MAX		65536
#define NETCHANNEL_RX_ALIGN		64	/* of a packet in the RX bytes */
#define NETCHANNEL_RX_PACKET_MAX	65536	/* bytes of one RX packet */
#define NETCHANNEL_TX_INLINE		256	/* inline bytes of one TX slot */
#define NETCHANNEL_TX_FRAGS		3	/* references of one TX slot */
#define NETCHANNEL_FLOWS_MAX		1024	/* flows of one channel */
#define NETCHANNEL_LATCH_MS		3000	/* life of a provisional latch */

/* ------------------------------------------------------------------ flows */

/**
 * struct netchannel_flow - which packets belong to a channel
 * @family: AF_INET or AF_INET6.
 * @protocol: IP protocol (IPPROTO_TCP, IPPROTO_UDP, or any other but 0).
 * @local_prefix: significant bits of @local; 0 is any address.
 * @remote_prefix: significant bits of @remote; 0 is any address.
 * @local_port: network byte order; 0 is any.  Only for TCP and UDP.
 * @remote_port: network byte order; 0 is any.  Only for TCP and UDP.
 * @local: address of this end, network byte order; IPv4 uses the first four
 *	bytes, the others are zero.  Bits beyond the prefix are zero.
 * @remote: address of the peer, alike.
 * @ifindex: device on which packets arrive; 0 is any.
 * @vlan: VLAN identifier (1..4094) of EARLY packets; 0 is any.
 * @reserved: zero.
 *
 * Where flows overlap, the first difference of this list decides: a given
 * local port, the longer local prefix, the longer remote prefix, a given
 * remote port, a given device, a given VLAN.  Two channels cannot hold the
 * same flow (EADDRINUSE).
 */
struct netchannel_flow {
	__u8	family;
	__u8	protocol;
	__u8	local_prefix;
	__u8	remote_prefix;
	__be16	local_port;
	__be16	remote_port;
	__u8	local[16];
	__u8	remote[16];
	__u32	ifindex;
	__u16	vlan;
	__u16	reserved;
};

/* ----------------------------------------------------------------- ioctls */

/* Bits of netchannel_info.features. */
#define NETCHANNEL_FEATURE_LATE		(1ULL << 0)
#define NETCHANNEL_FEATURE_EARLY	(1ULL << 1)
#define NETCHANNEL_FEATURE_LISTEN	(1ULL << 2)
#define NETCHANNEL_FEATURE_ZEROCOPY	(1ULL << 3)

/**
 * struct netchannel_info - what this module offers (NETCHANNEL_IOC_INFO)
 * @size: sizeof(struct netchannel_info) of the caller.
 * @abi_version: out: NETCHANNEL_ABI_VERSION of the module.
 * @features: out: NETCHANNEL_FEATURE_* bits.
 * @rx_desc_size: out: bytes of one RX descriptor.
 * @tx_desc_size: out: bytes of one TX descriptor.
 * @depth_max: out: greatest ring depth.
 * @flows_max: out: greatest number of flows of one channel.
 *
 * May be asked at any time, before SETUP too.
 */
struct netchannel_info {
	__u32	size;
	__u32	abi_version;
	__u64	features;
	__u32	rx_desc_size;
	__u32	tx_desc_size;
	__u32	depth_max;
	__u32	flows_max;
};

/**
 * struct netchannel_region - one array in the area
 * @offset: bytes from the start of the area; a multiple of the page size.
 * @length: bytes that are in use; the next region starts on a new page.
 */
struct netchannel_region {
	__u64	offset;
	__u64	length;
};

/**
 * struct netchannel_setup - makes the area (NETCHANNEL_IOC_SETUP)
 * @size: sizeof(struct netchannel_setup) of the caller.
 * @flags: zero.
 * @rx_depth: in: RX descriptors, 1..NETCHANNEL_DEPTH_MAX, 0 = default;
 *	out: rounded up to a power of two.
 * @tx_depth: TX descriptors, alike.
 * @rx_bytes: in: bytes for RX packets, 0 = max((rx_depth + 1) * 2048, 256 KiB),
 *	at least NETCHANNEL_RX_PACKET_MAX; out: rounded up to whole pages.
 * @tx_bytes: in: bytes of the send arena, 0 = 2 MiB; out: whole pages.
 * @wills: in: last-will records, 0 = 64, at most 65536; out: the number.
 * @rx_desc_size: in: 0 or 64; out: bytes of an RX descriptor.
 * @tx_desc_size: in: 0 or 64; out: bytes of a TX descriptor.
 * @reserved: zero.
 * @area_size: out: bytes to mmap(), from offset 0.
 * @ctl: out: one struct netchannel_ctl.
 * @rx_desc: out: rx_depth * struct netchannel_rx_desc.
 * @rx_released: out: rx_depth * __u32.
 * @rx_data: out: the RX bytes.
 * @tx_desc: out: tx_depth * struct netchannel_tx_desc.
 * @tx_inline: out: tx_depth * NETCHANNEL_TX_INLINE bytes.
 * @tx_done: out: tx_depth * struct netchannel_tx_done.
 * @tx_data: out: the send arena, laid out by its owner as it likes.
 * @will: out: wills * struct netchannel_will.
 *
 * Once for each channel (EBUSY after that).  The caller's thread group becomes
 * the owner.  The area is charged to the memory cgroup and to RLIMIT_MEMLOCK
 * (CAP_IPC_LOCK is exempt from that) until the file is closed, it is unmapped,
 * and no packet in flight refers to it; beyond either limit this call fails with
 * ENOMEM.  A child does not inherit the mapping, unless its parent has asked for
 * that by madvise(MADV_DOFORK).
 *
 * If the answer of a call that has done its work cannot be written (EFAULT), the
 * work stays done: a flow stays bound until the channel is closed.
 */
struct netchannel_setup {
	__u32	size;
	__u32	flags;
	__u32	rx_depth;
	__u32	tx_depth;
	__u64	rx_bytes;
	__u64	tx_bytes;
	__u32	wills;
	__u16	rx_desc_size;
	__u16	tx_desc_size;
	__u64	reserved;
	__u64	area_size;
	struct netchannel_region ctl;
	struct netchannel_region rx_desc;
	struct netchannel_region rx_released;
	struct netchannel_region rx_data;
	struct netchannel_region tx_desc;
	struct netchannel_region tx_inline;
	struct netchannel_region tx_done;
	struct netchannel_region tx_data;
	struct netchannel_region will;
};

/**
 * enum netchannel_hook - where packets of a flow are taken
 * @NETCHANNEL_HOOK_LATE: behind the firewall's input chain, in place of the
 *	kernel's transport.  Fragments arrive reassembled (IPv6: if there is the
 *	module nf_defrag_ipv6).  Needs no privilege.
 * @NETCHANNEL_HOOK_EARLY: at device ingress, before routing, firewall and
 *	conntrack.  Needs CAP_NET_ADMIN.
 * @NETCHANNEL_HOOK_FRAMES: EARLY with whole Ethernet frames.  Reserved:
 *	EOPNOTSUPP.
 */
enum netchannel_hook {
	NETCHANNEL_HOOK_LATE	= 0,
	NETCHANNEL_HOOK_EARLY	= 1,
	NETCHANNEL_HOOK_FRAMES	= 2,
};

/* netchannel_bind.flags */
#define NETCHANNEL_BIND_LISTEN_PEER	(1U << 0) /* point-to-point listen */
#define NETCHANNEL_BIND_GROUP		(1U << 1) /* fan-out: EOPNOTSUPP */

/**
 * struct netchannel_bind - gives the channel a flow (NETCHANNEL_IOC_BIND)
 * @size: sizeof(struct netchannel_bind) of the caller.
 * @flags: NETCHANNEL_BIND_* bits.
 * @flow: the packets.
 * @hook: enum netchannel_hook.
 * @sock_fd: the authority, or -1 for none (needs CAP_NET_ADMIN): an
 *	unconnected, bound, not listening TCP socket, or a bound unconnected UDP
 *	socket, that holds the flow's local port alone, without SO_REUSEADDR and
 *	SO_REUSEPORT.  Flows of other protocols take none.
 * @cookie: returned with each packet of the flow.
 * @flow_id: out: names the flow in TX descriptors, LATCH and UNBIND.
 * @group: zero (fan-out group, reserved: EOPNOTSUPP).
 *
 * A flow with a wildcard in its remote end hears every peer of the port
 * ("shared listen").  With NETCHANNEL_BIND_LISTEN_PEER it serves one peer at a
 * time: see NETCHANNEL_IOC_LATCH.
 *
 * EACCES: an authority that does not cover the flow.  EPERM: privilege missing
 * (no authority and no CAP_NET_ADMIN, too), or the channel is frozen.
 * EADDRINUSE: another channel holds the same flow, or the port is shared, or
 * may be: the socket has SO_REUSEADDR or SO_REUSEPORT.
 * EXDEV: another network namespace than that of the first bind.  ENODEV: no
 * such ifindex.  ENOSPC: too many flows; or too many kinds of flows, which
 * differ in the lengths of the prefixes or in whether they give ports, device
 * and VLAN.  Each packet is looked up by one kind after the other, so there are
 * at most 32 in a namespace for each family.  Callers without CAP_NET_ADMIN add
 * none if there are 24; and if there are 8, only those whose prefixes are zero or
 * whole, of which there are just 16 for them.  ENOTCONN: before SETUP.  EBADF,
 * ENOTSOCK: @sock_fd.  EPIPE: broken.  EINVAL also: a VLAN without EARLY;
 * LISTEN_PEER without a local port or with just one possible peer.
 */
struct netchannel_bind {
	__u32	size;
	__u32	flags;
	struct netchannel_flow flow;
	__u32	hook;
	__s32	sock_fd;
	__u64	cookie;
	__u32	flow_id;
	__u32	group;
};

/**
 * struct netchannel_unbind - takes a flow away (NETCHANNEL_IOC_UNBIND)
 * @size: sizeof(struct netchannel_unbind) of the caller.
 * @flow_id: from BIND.  ENOENT: no such flow.
 *
 * On return no further packet of the flow is put into the ring.
 */
struct netchannel_unbind {
	__u32	size;
	__u32	flow_id;
};

/* netchannel_latch.op */
#define NETCHANNEL_LATCH_CONFIRM	1 /* the handshake with the peer is done */
#define NETCHANNEL_LATCH_RELEASE	2 /* the next peer may come */

/**
 * struct netchannel_latch - steers a point-to-point listen flow
 *	(NETCHANNEL_IOC_LATCH)
 * @size: sizeof(struct netchannel_latch) of the caller.
 * @flow_id: from BIND, with NETCHANNEL_BIND_LISTEN_PEER (else EINVAL).
 * @op: NETCHANNEL_LATCH_CONFIRM or NETCHANNEL_LATCH_RELEASE.
 * @peer_port: in, network byte order: the peer's port.
 * @reserved: zero.
 * @peer: in: the peer's address, as in struct netchannel_flow.
 *
 * A checksum-valid SYN (UDP: datagram) latches an open flow to its sender
 * provisionally, for NETCHANNEL_LATCH_MS.  CONFIRM makes the latch last until
 * RELEASE.  While latched, other peers find the port closed: TCP answers
 * with RST, UDP with port unreachable.  ESTALE: the flow is not, or no longer,
 * latched to that peer.
 */
struct netchannel_latch {
	__u32	size;
	__u32	flow_id;
	__u32	op;
	__be16	peer_port;
	__u16	reserved;
	__u8	peer[16];
};

/**
 * struct netchannel_freeze - forbids further BIND and UNBIND
 *	(NETCHANNEL_IOC_FREEZE)
 * @size: sizeof(struct netchannel_freeze) of the caller.
 * @flags: zero.
 *
 * For good.  The descriptor may then be given to a process with no rights.
 */
struct netchannel_freeze {
	__u32	size;
	__u32	flags;
};

/**
 * enum netchannel_counter - index of a counter in struct netchannel_stats
 * @NETCHANNEL_RX_PACKETS: packets put into the ring
 * @NETCHANNEL_RX_BYTES: their bytes
 * @NETCHANNEL_RX_ERRORS: ICMP errors put into the ring
 * @NETCHANNEL_RX_DROP_DEPTH: dropped: no free descriptor
 * @NETCHANNEL_RX_DROP_BYTES: dropped: no free bytes
 * @NETCHANNEL_RX_DROP_SIZE: dropped: larger than NETCHANNEL_RX_PACKET_MAX, or a
 *	train of segments of neither TCP nor UDP, as of a tunnel
 * @NETCHANNEL_RX_DROP_HEADER: EARLY: bad IP header, length, checksum or
 *	addresses; LATE: IPv6 destination options or a routing header
 * @NETCHANNEL_RX_DROP_POLICY: LATE: refused by IPsec policy
 * @NETCHANNEL_RX_DROP_FILTER: LATE: refused by the authority socket's filter
 * @NETCHANNEL_RX_DROP_CONNTRACK: LATE: conntrack did not confirm it
 * @NETCHANNEL_RX_DROP_NOMEM: no memory to handle the packet
 * @NETCHANNEL_RX_DROP_BROKEN: the channel is broken
 * @NETCHANNEL_RX_REFUSED: a second peer of a point-to-point listen flow
 * @NETCHANNEL_RX_YIELDED: left to another kernel socket, or the authority does
 *	not cover the flow any more
 * @NETCHANNEL_TX_PACKETS: packets handed to the IP layer
 * @NETCHANNEL_TX_BYTES: their bytes, headers included
 * @NETCHANNEL_TX_COPIED: packets whose payload was copied
 * @NETCHANNEL_TX_ZEROCOPY: packets whose payload was sent by reference
 * @NETCHANNEL_TX_BAD_DESC: EINVAL: malformed descriptor or headers
 * @NETCHANNEL_TX_BAD_FLOW: EPERM: not what the bound flow allows
 * @NETCHANNEL_TX_BAD_SOURCE: EADDRNOTAVAIL: source is no local unicast address
 * @NETCHANNEL_TX_BAD_OPTIONS: EPROTONOSUPPORT: IP options or extension headers
 * @NETCHANNEL_TX_BAD_FRAGMENT: EPROTONOSUPPORT: a fragment
 * @NETCHANNEL_TX_BAD_GSO: EINVAL: absurd or impossible segmentation
 * @NETCHANNEL_TX_TOO_BIG: EMSGSIZE: larger than the path's MTU
 * @NETCHANNEL_TX_NO_ROUTE: no route to the destination
 * @NETCHANNEL_TX_NO_MEM: ENOMEM or ENOBUFS
 * @NETCHANNEL_TX_DROPPED: refused by the firewall, a queue or the device
 * @NETCHANNEL_KICKS: calls that looked at the TX ring
 * @NETCHANNEL_SPINS: calls that waited a moment and did not have to sleep
 * @NETCHANNEL_WAITS: calls that slept
 * @NETCHANNEL_WAKEUPS: wake-ups of the owner
 * @NETCHANNEL_COUNTERS: the number of counters, not one of them
 */
enum netchannel_counter {
	NETCHANNEL_RX_PACKETS,
	NETCHANNEL_RX_BYTES,
	NETCHANNEL_RX_ERRORS,
	NETCHANNEL_RX_DROP_DEPTH,
	NETCHANNEL_RX_DROP_BYTES,
	NETCHANNEL_RX_DROP_SIZE,
	NETCHANNEL_RX_DROP_HEADER,
	NETCHANNEL_RX_DROP_POLICY,
	NETCHANNEL_RX_DROP_FILTER,
	NETCHANNEL_RX_DROP_CONNTRACK,
	NETCHANNEL_RX_DROP_NOMEM,
	NETCHANNEL_RX_DROP_BROKEN,
	NETCHANNEL_RX_REFUSED,
	NETCHANNEL_RX_YIELDED,
	NETCHANNEL_TX_PACKETS,
	NETCHANNEL_TX_BYTES,
	NETCHANNEL_TX_COPIED,
	NETCHANNEL_TX_ZEROCOPY,
	NETCHANNEL_TX_BAD_DESC,
	NETCHANNEL_TX_BAD_FLOW,
	NETCHANNEL_TX_BAD_SOURCE,
	NETCHANNEL_TX_BAD_OPTIONS,
	NETCHANNEL_TX_BAD_FRAGMENT,
	NETCHANNEL_TX_BAD_GSO,
	NETCHANNEL_TX_TOO_BIG,
	NETCHANNEL_TX_NO_ROUTE,
	NETCHANNEL_TX_NO_MEM,
	NETCHANNEL_TX_DROPPED,
	NETCHANNEL_KICKS,
	NETCHANNEL_SPINS,
	NETCHANNEL_WAITS,
	NETCHANNEL_WAKEUPS,
	NETCHANNEL_COUNTERS
};

/**
 * struct netchannel_stats - counters of the channel (NETCHANNEL_IOC_STATS)
 * @size: sizeof(struct netchannel_stats) of the caller.
 * @status: out: NETCHANNEL_STATUS_* bits.
 * @flows: out: bound flows.
 * @owner: out: thread group of the owner in the caller's pid namespace, or 0.
 * @counter: out: by enum netchannel_counter; later versions append.
 */
struct netchannel_stats {
	__u32	size;
	__u32	status;
	__u32	flows;
	__u32	owner;
	__u64	counter[NETCHANNEL_COUNTERS];
};

#define NETCHANNEL_IOC_MAGIC	0xBC
#define NETCHANNEL_IOC_INFO	_IOWR(NETCHANNEL_IOC_MAGIC, 0, struct netchannel_info)
#define NETCHANNEL_IOC_SETUP	_IOWR(NETCHANNEL_IOC_MAGIC, 1, struct netchannel_setup)
#define NETCHANNEL_IOC_BIND	_IOWR(NETCHANNEL_IOC_MAGIC, 2, struct netchannel_bind)
#define NETCHANNEL_IOC_UNBIND	_IOW(NETCHANNEL_IOC_MAGIC, 3, struct netchannel_unbind)
#define NETCHANNEL_IOC_LATCH	_IOW(NETCHANNEL_IOC_MAGIC, 4, struct netchannel_latch)
#define NETCHANNEL_IOC_FREEZE	_IOW(NETCHANNEL_IOC_MAGIC, 5, struct netchannel_freeze)
#define NETCHANNEL_IOC_STATS	_IOWR(NETCHANNEL_IOC_MAGIC, 6, struct netchannel_stats)

/*
 * The other calls on a channel:
 *
 * write(fd, NULL, 0)	kick: send what stands in the TX ring up to tx_head.
 * read(fd, NULL, 0)	kick, then sleep until the RX ring holds a descriptor at
 *			or beyond rx_seen, or a TX slot completes while
 *			NETCHANNEL_WAKE_TX is asked for, or the status changes,
 *			or the deadline passes.  Does not sleep if a TX slot
 *			completed with an error since the last read().  Returns 0,
 *			or the error of the new status.  EAGAIN: nothing and
 *			O_NONBLOCK.  EINTR: a signal.  Where the last waits were
 *			short, it looks for a while before it sleeps (spin_us).
 * fdatasync(fd)	as write(fd, NULL, 0), and fsync(fd) as read(fd, NULL, 0): no
 *			security module is asked for each call, as it is for these.
 * poll()		EPOLLIN: a descriptor as above; or a TX slot completed while
 *			NETCHANNEL_WAKE_TX is asked for, until read() has told so.
 *			EPOLLOUT: the slot at tx_head is free.  EPOLLERR: broken.
 *			Who sleeps is woken for input or completions only while
 *			NETCHANNEL_WAKE_RX or NETCHANNEL_WAKE_TX asks for them.
 *			EPOLLHUP: no flow is left because its device or namespace
 *			went away.
 *
 * Any other length is EINVAL.  A broken channel answers EPIPE, one whose flows
 * went away with their device or namespace ENODEV, one without area ENOTCONN.
 */

/* --------------------------------------------------------------- the area */

/* netchannel_ctl.wakeup: what the owner wants to be woken for. */
#define NETCHANNEL_WAKE_RX	(1U << 0)
#define NETCHANNEL_WAKE_TX	(1U << 1)

/* netchannel_ctl.status, netchannel_stats.status */
#define NETCHANNEL_STATUS_BROKEN	(1U << 0) /* the owner broke the rules */
#define NETCHANNEL_STATUS_GONE		(1U << 1) /* device or namespace left */
#define NETCHANNEL_STATUS_FROZEN	(1U << 2)

/* netchannel_ctl.reason: what broke the channel. */
#define NETCHANNEL_REASON_NONE		0
#define NETCHANNEL_REASON_RX_RELEASED	1 /* rx_released[] holds no known index */
#define NETCHANNEL_REASON_TX_HEAD	2 /* tx_head is beyond the ring */
#define NETCHANNEL_REASON_TX_BUSY	3 /* a slot was submitted again while busy */

/**
 * struct netchannel_ctl - the words that are not per packet
 * @tx_head: owner: index of the first TX slot not submitted.
 * @rx_seen: owner: index of the next RX descriptor that it will look at.
 * @wakeup: owner: NETCHANNEL_WAKE_* bits; 0 while it does not sleep.
 * @reserved0: zero.
 * @deadline: owner: for read(): CLOCK_MONOTONIC nanoseconds, of the caller's time
 *	namespace; 0 is none.
 * @pad0: fills two cache lines.
 * @status: kernel: NETCHANNEL_STATUS_* bits.
 * @reason: kernel: NETCHANNEL_REASON_*.
 * @pad1: fills two cache lines.
 *
 * Indices run freely, modulo 2^32; the slot of an index is index % depth.
 */
struct netchannel_ctl {
	__u32	tx_head;
	__u32	rx_seen;
	__u32	wakeup;
	__u32	reserved0;
	__u64	deadline;
	__u64	pad0[13];
	__u32	status;
	__u32	reason;
	__u64	pad1[15];
};

/* netchannel_rx_desc.type */
#define NETCHANNEL_RX_PACKET	0	/* an IP packet of the flow */
#define NETCHANNEL_RX_ERROR	1	/* an ICMP error about the flow */

/* netchannel_rx_desc.csum_state: of the transport's checksum */
#define NETCHANNEL_CSUM_NONE		0 /* the reader verifies it */
#define NETCHANNEL_CSUM_VERIFIED	1 /* verified */
#define NETCHANNEL_CSUM_PARTIAL		2 /* never left this machine: not filled in */
#define NETCHANNEL_CSUM_COMPLETE	3 /* csum: one's-complement sum of all bytes */

/* netchannel_rx_desc.gso_type, netchannel_tx_desc.gso_type */
#define NETCHANNEL_GSO_NONE	0
#define NETCHANNEL_GSO_TCP	1
#define NETCHANNEL_GSO_UDP	2

/**
 * struct netchannel_rx_desc - one received packet
 * @seq: index + 1 once the packet is there (load-acquire); before that, the
 *	value of the last lap, index + 1 - depth.
 * @type: NETCHANNEL_RX_*.
 * @csum_state: NETCHANNEL_CSUM_*.
 * @gso_type: NETCHANNEL_GSO_*: the packet is a train of segments.
 * @reserved: zero.
 * @offset: of the first byte, the IP header, in the RX bytes.
 * @length: bytes.
 * @cookie: of the flow.
 * @tstamp: CLOCK_REALTIME nanoseconds of arrival, 0 if not stamped.
 * @flow_id: of the flow.
 * @ifindex: device of arrival.
 * @lost: packets of this channel that were dropped since the last descriptor.
 * @hash: of the flow, as computed by device or kernel; 0 if unknown.
 * @gso_size: payload bytes of each segment but the last.
 * @gso_segs: segments.
 * @vlan_tci: tag control information, if @vlan_proto is not 0.
 * @vlan_proto: network byte order; EtherType of the tag, 0 for none.
 * @csum: for NETCHANNEL_CSUM_COMPLETE: 32 bits, not folded, native order as
 *	csum_partial() gives it, over @length bytes from the IP header on.  As a card
 *	or the kernel once summed: if it is not right, the bytes have to be summed.
 * @info: NETCHANNEL_RX_ERROR: MTU (EMSGSIZE) or 0.
 *
 * Written by the kernel only.  A NETCHANNEL_RX_ERROR holds the ICMP header (8
 * bytes) and the packet that it quotes, as far as quoted; that packet was sent
 * from the flow's local end.  The reader validates it (RFC 5927).
 */
struct netchannel_rx_desc {
	__u32	seq;
	__u8	type;
	__u8	csum_state;
	__u8	gso_type;
	__u8	reserved;
	__u32	offset;
	__u32	length;
	__u64	cookie;
	__u64	tstamp;
	__u32	flow_id;
	__u32	ifindex;
	__u32	lost;
	__u32	hash;
	__u16	gso_size;
	__u16	gso_segs;
	__u16	vlan_tci;
	__be16	vlan_proto;
	__u32	csum;
	__u32	info;
};

/*
 * rx_released[slot], __u32, written by the owner: index + 1 (store-release)
 * gives the descriptor and its bytes back; in any order.  The kernel takes
 * them back as a consecutive prefix.  It holds index + 1 - depth before.  Any
 * other value breaks the channel.
 */

/**
 * struct netchannel_tx_frag - bytes in the send arena
 * @offset: from the start of tx_data.
 * @length: bytes.
 */
struct netchannel_tx_frag {
	__u32	offset;
	__u32	length;
};

/* netchannel_tx_desc.flags */
#define NETCHANNEL_TX_CSUM	(1U << 0) /* fill in the transport's checksum */
#define NETCHANNEL_TX_COPY	(1U << 1) /* never send by reference */
#define NETCHANNEL_TX_REFERENCE	(1U << 2) /* by reference if at all possible */

/**
 * struct netchannel_tx_desc - one packet to send
 * @flow_id: from BIND: what the packet is validated against.
 * @inline_length: bytes in the inline part of the slot: the IP and transport
 *	headers, whole, and as much payload as follows them.
 * @nr_frags: used elements of @frag, 0..NETCHANNEL_TX_FRAGS.
 * @flags: NETCHANNEL_TX_* bits.
 * @gso_size: payload bytes of a segment; 0 with NETCHANNEL_GSO_NONE.
 * @gso_type: NETCHANNEL_GSO_*; needs NETCHANNEL_TX_CSUM.
 * @reserved0: zero.
 * @reserved1: zero.
 * @token: the owner's; the kernel does not look at it.
 * @txtime: CLOCK_MONOTONIC nanoseconds at which the packet should leave (with a
 *	qdisc that knows, as fq); 0 is now.  As with SO_TXTIME, not of a time namespace.
 * @frag: the rest of the payload, in order.
 * @reserved2: zero.
 *
 * Written by the owner only, read by the kernel once, in the kick after tx_head
 * passed it.  With NETCHANNEL_TX_CSUM the checksum field is filled in by the
 * kernel whatever it holds.
 *
 * Without NETCHANNEL_TX_COPY or NETCHANNEL_TX_REFERENCE (both: EINVAL) the
 * kernel chooses: by reference are sent 4 KiB and more in @frag through a device
 * with hardware behind it, and through a virtual one if what was tried there
 * arrived uncopied.  A socket of this machine copies, at a higher price; a
 * channel at device ingress does not.
 */
struct netchannel_tx_desc {
	__u32	flow_id;
	__u16	inline_length;
	__u8	nr_frags;
	__u8	flags;
	__u16	gso_size;
	__u8	gso_type;
	__u8	reserved0;
	__u32	reserved1;
	__u64	token;
	__u64	txtime;
	struct netchannel_tx_frag frag[NETCHANNEL_TX_FRAGS];
	__u64	reserved2;
};

/* netchannel_tx_done.flags */
#define NETCHANNEL_DONE_ZEROCOPY	(1U << 0) /* sent by reference */

/**
 * struct netchannel_tx_done - what became of a TX slot
 * @seq: index + 1 once the slot and its memory are the owner's again
 *	(load-acquire); before that index + 1 - depth.
 * @result: 0, or a negative errno if the packet was not sent.
 * @info: with -EMSGSIZE: the MTU of the path.
 * @flags: NETCHANNEL_DONE_*.
 *
 * Written by the kernel only.  Slots complete in any order.
 */
struct netchannel_tx_done {
	__u32	seq;
	__s32	result;
	__u32	info;
	__u32	flags;
};

/* netchannel_will.state */
#define NETCHANNEL_WILL_NONE	0
#define NETCHANNEL_WILL_RESET	1 /* TCP: send a RST when the owner dies */

/**
 * struct netchannel_will - what the kernel owes a peer when the owner dies
 * @sequence: odd while the owner writes the record.
 * @state: NETCHANNEL_WILL_*.
 * @flow_id: from BIND.
 * @snd_nxt: host byte order.
 * @rcv_nxt: host byte order.
 * @local_port: network byte order.
 * @remote_port: network byte order.
 * @local: address, as in struct netchannel_flow.
 * @remote: address, alike.
 * @reserved: zero.
 *
 * Written by the owner only.  This version of the module does not act on it.
 */
struct netchannel_will {
	__u32	sequence;
	__u32	state;
	__u32	flow_id;
	__u32	snd_nxt;
	__u32	rcv_nxt;
	__be16	local_port;
	__be16	remote_port;
	__u8	local[16];
	__u8	remote[16];
	__u64	reserved;
};

#endif /* _UAPI_LINUX_NETCHANNEL_H */
