// SPDX-License-Identifier: MIT
/*
 * kmod/flow_key.h: any bytes as a packet, in all modes. The sanitizer sees reads
 * beyond the packet. Input: the packet.
 */
#include "kernel_shim.h"

#include "flow_key.h"
#include "oracle.h"

/* The ends of the key are bytes of the packet, taken the right way round. */
static void ends(const uint8_t *data, enum nc_parse_mode mode,
		 const struct nc_key *key)
{
	size_t bytes = key->family == AF_INET ? 4 : 16;
	const uint8_t *src = data + (key->family == AF_INET ? 12 : 8);
	const uint8_t *local = mode == NC_PARSE_IN ? src + bytes : src;
	const uint8_t *remote = mode == NC_PARSE_IN ? src : src + bytes;
	static const uint8_t zero[16];

	must(!memcmp(key->local.b, local, bytes));
	must(!memcmp(key->remote.b, remote, bytes));
	must(!memcmp(key->local.b + bytes, zero, 16 - bytes));
	must(!memcmp(key->remote.b + bytes, zero, 16 - bytes));
}

static void ports(const uint8_t *transport, enum nc_parse_mode mode,
		  const struct nc_key *key)
{
	bool in = mode == NC_PARSE_IN;

	if (!nc_has_ports(key->protocol)) {
		must(!key->local_port && !key->remote_port);
		return;
	}
	must(!memcmp(&key->local_port, transport + (in ? 2 : 0), 2));
	must(!memcmp(&key->remote_port, transport + (in ? 0 : 2), 2));
}

/* A packet that may be sent has all of its headers where they are said to be. */
static void headers(size_t size, const struct nc_headers *h,
		    const struct nc_key *key)
{
	must(h->transport <= h->payload && h->payload <= size);
	must(h->payload <= h->length);
	must(h->transport == (key->family == AF_INET ? 20 : 40));
	if (key->protocol == IPPROTO_TCP)
		must(h->payload >= h->transport + 20);
	if (key->protocol == IPPROTO_UDP)
		must(h->payload == h->transport + 8);
}

/* A flow made of the packet's key is valid, finds it and covers it. */
static void own_flow(const struct nc_key *key)
{
	uint32_t bits = nc_family_bits(key->family);
	struct netchannel_flow flow = {
		.family = key->family, .protocol = key->protocol,
		.local_prefix = (uint8_t)bits, .remote_prefix = (uint8_t)bits,
		.local_port = key->local_port, .remote_port = key->remote_port,
	};
	struct nc_key wanted, mask, masked = { 0 };

	memcpy(flow.local, key->local.b, 16);
	memcpy(flow.remote, key->remote.b, 16);
	must(nc_flow_valid(&flow) == (key->protocol != 0));
	nc_flow_key(&wanted, &flow);
	nc_key_mask(&mask, wanted.rank);
	nc_key_masked(&masked, key, &mask);
	must(!memcmp(&wanted, &masked, sizeof(wanted)));
	must(nc_key_covers(&wanted, &mask, key));
}

static void parse(const uint8_t *data, size_t size, enum nc_parse_mode mode)
{
	enum nc_parse verdict;
	struct nc_headers h;
	struct nc_key key;

	verdict = nc_parse(data, (uint32_t)size, mode, &h, &key);
	must(!key.ifindex && !key.vlan && !key.rank);
	if (verdict == NC_PARSE_OPTIONS || verdict == NC_PARSE_FRAGMENT)
		ends(data, mode, &key);
	if (verdict != NC_PARSE_OK)
		return;
	must(h.transport <= size);
	ends(data, mode, &key);
	ports(data + h.transport, mode, &key);
	own_flow(&key);
	if (mode == NC_PARSE_OUT)
		headers(size, &h, &key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(data, size, NC_PARSE_IN);
	parse(data, size, NC_PARSE_OUT);
	parse(data, size, NC_PARSE_QUOTE);
	return 0;
}
