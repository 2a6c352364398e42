// SPDX-License-Identifier: GPL-2.0
/*
 * IPv6 puts fragments together only behind local input.  So that the LATE hook
 * sees whole packets there too, namespaces with IPv6 flows use the reassembly
 * that conntrack uses, in front of the firewall.  It is a module of its own, and
 * without it everything but fragments works.
 */
#include <linux/jiffies.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include "nc.h"

#define RETRY	(10 * HZ)	/* the module may come with the root */

/**
 * nc_defrag_load() - try to have the module that does it
 *
 * May take long, so it is called without locks, and not every time.
 */
void nc_defrag_load(void)
{
	static unsigned long next = INITIAL_JIFFIES;
	unsigned long now = jiffies, due = READ_ONCE(next);

	if (time_before(now, due) || cmpxchg(&next, due, now + RETRY) != due)
		return;
	if (symbol_get(nf_defrag_ipv6_enable))
		symbol_put(nf_defrag_ipv6_enable);
	else
		request_module("nf_defrag_ipv6");
}

/**
 * nc_defrag_get() - put IPv6 fragments together, if possible
 * @nn: the namespace, locked, with an IPv6 flow.
 */
void nc_defrag_get(struct nc_net *nn)
{
	int (*enable)(struct net *net);

	lockdep_assert_held(&nn->lock);
	if (nn->defrag)
		return;
	enable = symbol_get(nf_defrag_ipv6_enable);
	if (!enable)
		return;
	nn->defrag = !enable(nn->net);
	if (!nn->defrag)
		symbol_put(nf_defrag_ipv6_enable);
}

/**
 * nc_defrag_put() - that was the last IPv6 flow
 * @nn: the namespace, locked.
 */
void nc_defrag_put(struct nc_net *nn)
{
	void (*disable)(struct net *net);

	lockdep_assert_held(&nn->lock);
	if (!nn->defrag)
		return;
	nn->defrag = false;
	/* Present: nc_defrag_get() holds the module. */
	disable = symbol_get(nf_defrag_ipv6_disable);
	if (disable) {
		disable(nn->net);
		symbol_put(nf_defrag_ipv6_disable);
	}
	symbol_put(nf_defrag_ipv6_enable);
}
