// SPDX-License-Identifier: GPL-2.0
/* netchannel: packet queues matched to flows, mapped into a process. */
#include <linux/module.h>
#include "chardev.h"
#include "nc.h"

/* Set up in this order, taken down in the opposite one. */
static const struct {
	int (*init)(void);
	void (*exit)(void);
} subsystems[] = {
	{ nc_channel_init, nc_channel_exit },
	{ nc_wake_init, nc_wake_exit },
	{ nc_flow_init, nc_flow_exit },
	{ nc_netdev_init, nc_netdev_exit },
	{ nc_chardev_init, nc_chardev_exit },
};

static void take_down(int n)
{
	while (n--)
		subsystems[n].exit();
}

static int __init netchannel_init(void)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(subsystems); i++) {
		err = subsystems[i].init();
		if (err) {
			take_down(i);
			return err;
		}
	}
	return 0;
}

static void __exit netchannel_exit(void)
{
	take_down(ARRAY_SIZE(subsystems));
}

module_init(netchannel_init);
module_exit(netchannel_exit);

MODULE_DESCRIPTION("Packet queues matched to flows, mapped into a process");
MODULE_LICENSE("GPL");
MODULE_ALIAS("devname:netchannel");
