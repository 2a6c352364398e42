/* SPDX-License-Identifier: MIT */
/* A link: where packets come from and go to.  One table row in link/link.c adds one. */
#ifndef US_LINK_LINK_H
#define US_LINK_LINK_H

#include "core/stack.h"
#include "ustack.h"

/* us_link.flags */
#define US_LINK_ETHERNET	(1u << 0) /* frames; else IP packets */
#define US_LINK_CSUM		(1u << 1) /* fills in transport checksums */
#define US_LINK_GSO_TCP		(1u << 2) /* cuts super-segments */
#define US_LINK_GSO_UDP		(1u << 3)
#define US_LINK_KERNEL_IP	(1u << 4) /* addresses and routes are the kernel's */
#define US_LINK_LOOPBACK	(1u << 5) /* what goes out comes in */

/* Slots that payload leaves to what has none: SYN, ACK, RST, ARP. */
#define US_LINK_KEPT	4u

/**
 * struct us_flow - which packets a socket wants
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @family: AF_INET or AF_INET6, of which AF_INET6 hears IPv6 only (V6ONLY).
 * @paired: a flow of the other family has, or is to have, the same port.
 * @listen_peer: point-to-point listen.
 * @local: all zero is any.
 * @remote: all zero is any.
 * @local_port: network byte order; 0: the link or the caller chooses one.
 * @remote_port: network byte order; 0 is any.
 */
struct us_flow {
	uint8_t protocol;
	uint8_t family;
	bool paired;
	bool listen_peer;
	struct us_addr local;
	struct us_addr remote;
	uint16_t local_port;
	uint16_t remote_port;
};

/**
 * struct us_link_ops - what a kind of link can do
 * @name: the kind, in ustack_link_open()'s spec.
 * @open: makes a link of @args ("key=value,..."); sets mtu, flags, mem.
 * @close: ends it.
 * @reserve: a slot for one packet, with @keep others left, or NULL if the ring is
 *	full: then the link calls link_writable() once there is room beside @kept.
 *	A reserved slot is submitted or reserved again before anything else.
 * @submit: takes the slot as filled in; may keep references on chunks.
 * @flush: lets everything submitted go (one system call at most).
 * @poll: takes up to @budget packets and gives each to link_input(); also
 *	reaps completed slots.  Returns the number.
 * @release: gets the bytes of a packet back.
 * @pressure: true if the link's receive memory is more than half in use: what
 *	holds packets copies them out.  NULL: never.
 * @fd: a descriptor to poll(2) for input, or -1.
 * @sleep: may replace poll(2) when this is the only link: flushes and sleeps
 *	until input or @deadline in one system call.  May return at once, and leave
 *	the flush to the caller, when poll() has something to do.  NULL: none.
 * @idle: with @sleep: has poll(), or the round that it is part of, nothing to do?
 * @next: time at which poll() has something to do by itself (virtual links);
 *	US_NEVER if none.  NULL: none.
 * @bind: makes packets of @flow come in.  Sets flow->local_port if that was 0
 *	and the link owns ports (US_LINK_KERNEL_IP), flow->local likewise if
 *	the remote is given, and *@id.  NULL: everything comes in.
 * @unbind: undoes bind.
 * @latch: point-to-point listen: @confirm the peer, or release it.  NULL: none.
 * @route: with US_LINK_KERNEL_IP: asks the kernel for the way to @remote: its
 *	source address, unless @local is already given, and MTU.  0 or the
 *	negative errno of connect(2).  NULL: the stack's own routes count.
 * @claim: may the stack own @addr on this link?  -EADDRINUSE, with a text for
 *	ustack_error(), where the kernel owns it.  NULL: it may.
 */
struct us_link_ops {
	const char *name;
	int (*open)(struct us_stack *stack, const char *args,
		    struct us_link **link);
	void (*close)(struct us_link *link);
	struct us_tx *(*reserve)(struct us_link *link, uint32_t keep);
	void (*submit)(struct us_link *link, struct us_tx *tx);
	void (*flush)(struct us_link *link);
	unsigned int (*poll)(struct us_link *link, unsigned int budget);
	void (*release)(struct us_link *link, struct us_pkt *pkt);
	bool (*pressure)(const struct us_link *link);
	int (*fd)(const struct us_link *link);
	int (*sleep)(struct us_link *link, us_ns deadline);
	bool (*idle)(struct us_link *link);
	us_ns (*next)(const struct us_link *link);
	int (*bind)(struct us_link *link, struct us_flow *flow, uint32_t *id);
	void (*unbind)(struct us_link *link, uint32_t id);
	int (*latch)(struct us_link *link, uint32_t id,
		     const struct us_addr *peer, uint16_t port, bool confirm);
	int (*route)(struct us_link *link, const struct us_addr *remote,
		     struct us_addr *local, uint32_t *mtu);
	int (*claim)(struct us_link *link, const struct us_addr *addr);
};

/**
 * struct us_link - one link (struct ustack_link of the public API)
 * @node: in us_stack.links.
 * @stack: its stack.
 * @ops: its kind.
 * @flags: US_LINK_*.
 * @mtu: bytes of the largest IP packet.
 * @gso_max: bytes of the largest IP packet with GSO.
 * @gso_segs: segments of that, at most.
 * @kept: slots that payload leaves to what has none.
 * @ifindex: of the device, or 0.
 * @mac: own address, with US_LINK_ETHERNET.
 * @peer_mac: of every neighbour, if @fixed_peer.
 * @fixed_peer: nobody is asked by ARP and ND, but questions are answered.
 * @mem: send memory that @ops can send from.
 * @own_mem: @mem is the link's, else the stack's.
 * @flows_left: flows that bind() has room for.
 * @rx_room: bytes of packets that wait there for a poll at most; 0: nothing is lost.
 * @rx_burst: bytes that came since there was nothing more to come.
 * @crowded_until: so many came at once before that receive queues should not grow.
 * @stats: counters.
 * @pending: transport's list of those that wait for room.
 * @resting: TCP's list of flows that only a connection in TIME-WAIT has, oldest first.
 * @error: the link is dead: negative errno, 0 if alive.
 */
struct us_link {
	struct cds_list_head node;
	struct us_stack *stack;
	const struct us_link_ops *ops;
	uint32_t flags;
	uint32_t mtu;
	uint32_t gso_max;
	uint32_t gso_segs;
	uint32_t kept;
	uint32_t ifindex;
	uint8_t mac[6];
	uint8_t peer_mac[6];
	bool fixed_peer;
	bool own_mem;
	struct us_txmem *mem;
	uint32_t flows_left;
	uint32_t rx_room;
	uint64_t rx_burst;
	us_ns crowded_until;
	struct ustack_link_stats stats;
	struct cds_list_head pending;
	struct cds_list_head resting;
	int error;
};

/* What us_link.kept is with so many @slots in all. */
static inline uint32_t us_link_kept(uint32_t slots)
{
	return us_min32(slots / 2, US_LINK_KEPT);
}

/* Is more than a half of what the link receives into in use? */
static inline bool us_link_pressure(const struct us_link *link)
{
	return link->ops->pressure && link->ops->pressure(link);
}

/* Opens "KIND[:KEY=VALUE,...]".  0, or -errno and a text for ustack_error(). */
int us_link_open(struct us_stack *stack, const char *spec, struct us_link **link);
/* No packet of the link may be held any more. */
void us_link_close(struct us_link *link);

/* For the kinds: what they make of their arguments.  All of them keep a text for
 * ustack_error() when they fail.
 */

/* Value of @key in "key=value,...", copied to @value.  Absent: -ENOENT, without a text. */
int us_link_arg(struct us_stack *stack, const char *args, const char *key,
		char *value, size_t size);
/* Refuses keys that are not in @keys, which ends with NULL. */
int us_link_arg_check(struct us_stack *stack, const char *args,
		      const char *const *keys);
/* A number, times @scale; "1.5", "10k", "1M", "2G".  Absent: @value stays. */
int us_link_arg_number(struct us_stack *stack, const char *args,
		       const char *key, uint64_t scale, uint64_t min,
		       uint64_t max, uint64_t *value);
/* A MAC address.  Absent: -ENOENT, without a text. */
int us_link_arg_mac(struct us_stack *stack, const char *args, const char *key,
		    uint8_t mac[6]);
/* A packet of this link with one reference, all else zero, or NULL (counted). */
struct us_pkt *us_link_pkt(struct us_link *link);
/* Makes one piece of @tx at its head; its length, 0 if it is too long. */
uint32_t us_link_gather(const struct us_link *link, const struct us_tx *tx,
			uint32_t room);

/* Of how many segments of @size bytes the super-segment at @ip, of @len bytes, consists. */
uint16_t us_link_segments(const uint8_t *ip, uint32_t len, uint8_t gso, uint16_t size);

/* us_pkt.token of what us_link_refused() gave: nothing of the link's to be released. */
#define US_LINK_TOLD	UINT64_MAX

/**
 * struct us_link_told - an ICMP error that a link makes, while it is given upwards
 * @data: header and quoted packet.
 */
struct us_link_told {
	uint8_t data[8 + US_TX_INLINE];
};

/* Tells of a packet that did not leave, as a router would.  In us_link_ops.poll() only. */
void us_link_refused(struct us_link *link, struct us_link_told *told, const uint8_t *packet,
		     uint32_t len, int err, uint32_t mtu);

/* extern.c: the caller is the other end. */
int us_extern_inject(struct us_link *link, const void *packet, size_t length);
ssize_t us_extern_collect(struct us_link *link, void *packet, size_t size,
			  us_ns *when);

extern const struct us_link_ops us_extern_ops;
extern const struct us_link_ops us_lo_ops;
extern const struct us_link_ops us_pipe_ops;
extern const struct us_link_ops us_packet_ops;
extern const struct us_link_ops us_netchannel_ops;

static inline void us_pkt_put(struct us_pkt *pkt)
{
	struct us_link *link = pkt->link;

	if (--pkt->refs == 0) {
		link->ops->release(link, pkt);
		us_pool_put(&link->stack->pkts, pkt);
	}
}

#endif /* US_LINK_LINK_H */
