// SPDX-License-Identifier: MIT
/* Making and ending a channel: the device, its area, and what lies where in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "link/netchannel.h"

#define DEVICE		"/dev/netchannel"
#define PACKET_MAX	65535u	/* the largest IP packet */
#define TX_BYTES	(4u << 20)

static const char *const keys[] = {
	"depth", "hook", "tx_bytes", "rx_bytes", NULL
};

static int open_device(struct us_stack *stack, struct us_nc *nc)
{
	nc->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (nc->fd >= 0)
		return 0;
	switch (errno) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return us_fail(stack, -errno, DEVICE " is missing: load the module with insmod netchannel.ko, as root");
	case EACCES:
	case EPERM:
		return us_fail(stack, -errno, DEVICE ": permission denied: run as root, or have root chmod it");
	default:
		return us_fail(stack, -errno, DEVICE ": %s", strerror(errno));
	}
}

static int check_module(struct us_stack *stack, const struct us_nc *nc)
{
	struct netchannel_info info = { .size = sizeof(info) };

	if (ioctl(nc->fd, NETCHANNEL_IOC_INFO, &info))
		return us_fail(stack, -errno, DEVICE " does not answer as netchannel does: %s",
			       strerror(errno));
	if (info.abi_version != NETCHANNEL_ABI_VERSION)
		return us_fail(stack, -EPROTO, "the module netchannel.ko speaks version %u of its interface, this program %u: build both from one source",
			       info.abi_version, NETCHANNEL_ABI_VERSION);
	return 0;
}

static int parse(struct us_stack *stack, const char *args, struct us_nc *nc,
		 struct netchannel_setup *setup)
{
	uint64_t depth = 0, tx_bytes = 0, rx_bytes = 0;
	char hook[32];
	int err;

	err = us_link_arg_check(stack, args, keys);
	if (!err)
		err = us_link_arg_number(stack, args, "depth", 1, 1,
					 NETCHANNEL_DEPTH_MAX, &depth);
	if (!err)
		err = us_link_arg_number(stack, args, "tx_bytes", 1, US_CHUNK_MAX,
					 1u << 30, &tx_bytes);
	if (!err)
		err = us_link_arg_number(stack, args, "rx_bytes", 1,
					 NETCHANNEL_RX_PACKET_MAX, 1u << 30,
					 &rx_bytes);
	if (err)
		return err;
	setup->rx_depth = (uint32_t)depth;
	setup->tx_bytes = tx_bytes;
	setup->rx_bytes = rx_bytes;
	nc->hook = NETCHANNEL_HOOK_LATE;
	err = us_link_arg(stack, args, "hook", hook, sizeof(hook));
	if (err)
		return err == -ENOENT ? 0 : err;
	if (!strcmp(hook, "early"))
		nc->hook = NETCHANNEL_HOOK_EARLY;
	else if (strcmp(hook, "late"))
		return us_fail(stack, -EINVAL, "netchannel: hook=%s: use hook=late or hook=early",
			       hook);
	return 0;
}

/* Unless the user says how much, a connection shall fill a path as the kernel's could;
 * who may not lock that much memory gets what the module finds usual.
 */
static int ask_for_area(const struct us_nc *nc, struct netchannel_setup *setup)
{
	bool any = !setup->tx_bytes;

	if (any)
		setup->tx_bytes = TX_BYTES;
	if (!ioctl(nc->fd, NETCHANNEL_IOC_SETUP, setup))
		return 0;
	if (errno != ENOMEM || !any)
		return -errno;
	setup->tx_bytes = 0;
	return ioctl(nc->fd, NETCHANNEL_IOC_SETUP, setup) ? -errno : 0;
}

static int make_area(struct us_stack *stack, struct us_nc *nc,
		     struct netchannel_setup *setup)
{
	int err = ask_for_area(nc, setup);

	if (err == -ENOMEM)
		return us_fail(stack, err, "netchannel: no memory for the channel: raise ulimit -l, or use smaller depth=, rx_bytes= or tx_bytes=");
	if (err)
		return us_fail(stack, err, "netchannel: setup: %s", strerror(-err));
	nc->area = mmap(NULL, setup->area_size, PROT_READ | PROT_WRITE,
			MAP_SHARED, nc->fd, 0);
	if (nc->area == MAP_FAILED) {
		nc->area = NULL;
		return us_fail(stack, -errno, "netchannel: mmap of %llu KiB: %s",
			       (unsigned long long)setup->area_size >> 10,
			       strerror(errno));
	}
	nc->area_size = setup->area_size;
	return 0;
}

static int lay_out(struct us_stack *stack, struct us_nc *nc,
		   const struct netchannel_setup *s)
{
	uint8_t *area = nc->area;
	int err;

	nc->ctl = (void *)(area + s->ctl.offset);
	nc->rx.desc = (void *)(area + s->rx_desc.offset);
	nc->rx.released = (void *)(area + s->rx_released.offset);
	nc->rx.data = area + s->rx_data.offset;
	nc->rx.size = s->rx_data.length;
	nc->link.rx_room = nc->rx.size;
	nc->rx.depth = s->rx_depth;
	nc->tx.desc = (void *)(area + s->tx_desc.offset);
	nc->tx.inlined = area + s->tx_inline.offset;
	nc->tx.done = (void *)(area + s->tx_done.offset);
	nc->tx.depth = s->tx_depth;
	nc->link.kept = us_link_kept(s->tx_depth);
	nc->arena = area + s->tx_data.offset;
	nc->frag = calloc((size_t)s->tx_depth * US_TX_FRAGS, sizeof(nc->frag[0]));
	err = nc->frag ? us_txmem_create(&nc->link.mem, nc->arena,
					 s->tx_data.length) : -ENOMEM;
	if (err)
		return us_fail(stack, err, "netchannel: no memory");
	nc->link.own_mem = true;
	return 0;
}

static void destroy(struct us_nc *nc)
{
	us_txmem_destroy(nc->link.mem);
	if (nc->area)
		munmap(nc->area, nc->area_size);
	if (nc->fd >= 0)
		close(nc->fd);
	us_nc_flows_close(nc);
	free(nc->frag);
	free(nc);
}

static int set_up(struct us_stack *stack, const char *args, struct us_nc *nc)
{
	struct netchannel_setup setup = { .size = sizeof(setup) };
	int err;

	err = parse(stack, args, nc, &setup);
	if (!err)
		err = open_device(stack, nc);
	if (!err)
		err = check_module(stack, nc);
	if (!err)
		err = make_area(stack, nc, &setup);
	return err ? err : lay_out(stack, nc, &setup);
}

/**
 * us_nc_open() - makes a channel; see struct us_link_ops
 * @stack: keeps the error.
 * @args: "depth=,hook=,tx_bytes=,rx_bytes=".
 * @link: the link.
 *
 * Return: 0 or a negative errno.
 */
int us_nc_open(struct us_stack *stack, const char *args, struct us_link **link)
{
	struct us_nc *nc = calloc(1, sizeof(*nc));
	int err;

	if (!nc)
		return us_fail(stack, -ENOMEM, "netchannel: no memory");
	nc->fd = -1;
	nc->link.flags = US_LINK_CSUM | US_LINK_GSO_TCP | US_LINK_GSO_UDP |
			 US_LINK_KERNEL_IP;
	/* What a path bears says us_nc_route(), for each of them. */
	nc->link.mtu = PACKET_MAX;
	nc->link.gso_max = PACKET_MAX;
	nc->link.flows_left = NETCHANNEL_FLOWS_MAX;
	err = set_up(stack, args, nc);
	if (err) {
		destroy(nc);
		return err;
	}
	*link = &nc->link;
	return 0;
}

/**
 * us_nc_close() - ends a channel; see struct us_link_ops
 * @link: the link.
 */
void us_nc_close(struct us_link *link)
{
	destroy(us_nc_of(link));
}
