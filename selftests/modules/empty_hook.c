// SPDX-License-Identifier: GPL-2.0
/*
 * What netfilter itself costs: a hook that does nothing, where netchannel.ko has
 * its own for a LATE flow, in the namespace of the process that loads it.
 * device=NAME: for an EARLY flow, at that device's ingress, instead of before routing.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_netdev.h>
#include <linux/nsproxy.h>
#include <net/net_namespace.h>

static char *device;
module_param(device, charp, 0);
MODULE_PARM_DESC(device, "hook there instead of before routing");

static struct net *net;
static struct net_device *dev;

static unsigned int accept(void *priv, struct sk_buff *skb,
			   const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

static struct nf_hook_ops late = {
	.hook = accept,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_LOCAL_IN,
	.priority = INT_MAX - 2,
};

static struct nf_hook_ops before = {
	.hook = accept,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_PRE_ROUTING,
	.priority = INT_MAX - 2,
};

static struct nf_hook_ops early = {
	.hook = accept,
	.pf = NFPROTO_NETDEV,
	.hooknum = NF_NETDEV_INGRESS,
};

static int __init early_init(void)
{
	int err;

	dev = dev_get_by_name(net, device);
	if (!dev)
		return -ENODEV;
	early.dev = dev;
	err = nf_register_net_hook(net, &early);
	if (err)
		dev_put(dev);
	return err;
}

static int __init empty_hook_init(void)
{
	int err;

	net = get_net(current->nsproxy->net_ns);
	err = nf_register_net_hook(net, &late);
	if (err)
		goto put;
	err = device ? early_init() : nf_register_net_hook(net, &before);
	if (!err)
		return 0;
	nf_unregister_net_hook(net, &late);
put:
	put_net(net);
	return err;
}

static void __exit empty_hook_exit(void)
{
	if (dev) {
		nf_unregister_net_hook(net, &early);
		dev_put(dev);
	} else {
		nf_unregister_net_hook(net, &before);
	}
	nf_unregister_net_hook(net, &late);
	put_net(net);
}

module_init(empty_hook_init);
module_exit(empty_hook_exit);
MODULE_DESCRIPTION("An empty netfilter hook, to compare with");
MODULE_LICENSE("GPL");
