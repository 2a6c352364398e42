// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/netchannel: the only place where user memory is copied and where
 * arguments are checked.
 */
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include "chardev.h"
#include "nc.h"

static_assert(sizeof(struct netchannel_flow) == 48);
static_assert(sizeof(struct netchannel_info) == 32);
static_assert(sizeof(struct netchannel_setup) == 200);
static_assert(sizeof(struct netchannel_bind) == 80);
static_assert(sizeof(struct netchannel_unbind) == 8);
static_assert(sizeof(struct netchannel_latch) == 32);
static_assert(sizeof(struct netchannel_freeze) == 8);
static_assert(sizeof(struct netchannel_stats) == 16 + 8 * NETCHANNEL_COUNTERS);
static_assert(offsetof(struct netchannel_setup, ctl) == 56);
static_assert(offsetof(struct netchannel_bind, cookie) == 64);

#define RX_BYTES_MIN	NETCHANNEL_RX_PACKET_MAX
#define RX_BYTES_FLOOR	(256u << 10)
#define TX_BYTES_USUAL	(2u << 20)
#define BYTES_MAX	(1u << 30)	/* offsets in descriptors have 32 bits */
#define WILLS_USUAL	64
#define WILLS_MAX	65536

#define BIND_FLAGS	(NETCHANNEL_BIND_LISTEN_PEER | NETCHANNEL_BIND_GROUP)

/* The argument of any ioctl; all begin with their size. */
union argument {
	u32 size;
	struct netchannel_info info;
	struct netchannel_setup setup;
	struct netchannel_bind bind;
	struct netchannel_unbind unbind;
	struct netchannel_latch latch;
	struct netchannel_freeze freeze;
	struct netchannel_stats stats;
};

static int do_info(struct nc_channel *ch, union argument *arg)
{
	arg->info = (struct netchannel_info) {
		.abi_version = NETCHANNEL_ABI_VERSION,
		.features = NETCHANNEL_FEATURE_LATE | NETCHANNEL_FEATURE_EARLY |
			    NETCHANNEL_FEATURE_LISTEN |
			    NETCHANNEL_FEATURE_ZEROCOPY,
		.rx_desc_size = sizeof(struct netchannel_rx_desc),
		.tx_desc_size = sizeof(struct netchannel_tx_desc),
		.depth_max = NETCHANNEL_DEPTH_MAX,
		.flows_max = NETCHANNEL_FLOWS_MAX,
	};
	return 0;
}

static bool depth_complete(u32 *depth)
{
	if (*depth > NETCHANNEL_DEPTH_MAX)
		return false;
	*depth = roundup_pow_of_two(*depth ?: NETCHANNEL_DEPTH_DEFAULT);
	return true;
}

static bool bytes_complete(u64 *bytes, u64 usual, u64 min)
{
	if (!*bytes)
		*bytes = usual;
	if (*bytes < min || *bytes > BYTES_MAX)
		return false;
	*bytes = PAGE_ALIGN(*bytes);
	return true;
}

static bool size_complete(u16 *size, u16 only)
{
	if (*size && *size != only)
		return false;
	*size = only;
	return true;
}

static int do_setup(struct nc_channel *ch, union argument *arg)
{
	struct netchannel_setup *s = &arg->setup;

	if (s->flags || s->reserved || s->wills > WILLS_MAX)
		return -EINVAL;
	if (!depth_complete(&s->rx_depth) || !depth_complete(&s->tx_depth))
		return -EINVAL;
	if (!bytes_complete(&s->rx_bytes,
			    max(((u64)s->rx_depth + 1) * 2048,
				(u64)RX_BYTES_FLOOR), RX_BYTES_MIN) ||
	    !bytes_complete(&s->tx_bytes, TX_BYTES_USUAL, 1))
		return -EINVAL;
	if (!size_complete(&s->rx_desc_size,
			   sizeof(struct netchannel_rx_desc)) ||
	    !size_complete(&s->tx_desc_size,
			   sizeof(struct netchannel_tx_desc)))
		return -EINVAL;
	s->wills = s->wills ?: WILLS_USUAL;
	return nc_channel_setup(ch, s);
}

static int do_bind(struct nc_channel *ch, union argument *arg)
{
	struct netchannel_bind *b = &arg->bind;

	if (b->flags & ~BIND_FLAGS || !nc_flow_valid(&b->flow))
		return -EINVAL;
	if (b->flags & NETCHANNEL_BIND_GROUP || b->group)
		return -EOPNOTSUPP;
	if (b->hook == NETCHANNEL_HOOK_FRAMES)
		return -EOPNOTSUPP;
	if (b->hook > NETCHANNEL_HOOK_FRAMES || b->sock_fd < -1)
		return -EINVAL;
	if (b->flow.vlan && b->hook != NETCHANNEL_HOOK_EARLY)
		return -EINVAL;
	if (b->flags & NETCHANNEL_BIND_LISTEN_PEER &&
	    (!nc_has_ports(b->flow.protocol) || !b->flow.local_port ||
	     !nc_flow_wild(&b->flow)))
		return -EINVAL;
	return nc_channel_bind(ch, b);
}

static int do_unbind(struct nc_channel *ch, union argument *arg)
{
	return nc_channel_unbind(ch, arg->unbind.flow_id);
}

static int do_latch(struct nc_channel *ch, union argument *arg)
{
	struct netchannel_latch *l = &arg->latch;

	if (l->reserved || (l->op != NETCHANNEL_LATCH_CONFIRM &&
			    l->op != NETCHANNEL_LATCH_RELEASE))
		return -EINVAL;
	return nc_latch_steer(ch, l);
}

static int do_freeze(struct nc_channel *ch, union argument *arg)
{
	if (arg->freeze.flags)
		return -EINVAL;
	return nc_channel_freeze(ch);
}

static int do_stats(struct nc_channel *ch, union argument *arg)
{
	nc_channel_stats(ch, &arg->stats);
	return 0;
}

/**
 * struct call - an ioctl
 * @cmd: its number, with the size of the argument in this version.
 * @handler: does it, with a private copy of the argument.
 */
struct call {
	unsigned int cmd;
	int (*handler)(struct nc_channel *ch, union argument *arg);
};

static const struct call calls[] = {
	{ NETCHANNEL_IOC_INFO, do_info },
	{ NETCHANNEL_IOC_SETUP, do_setup },
	{ NETCHANNEL_IOC_BIND, do_bind },
	{ NETCHANNEL_IOC_UNBIND, do_unbind },
	{ NETCHANNEL_IOC_LATCH, do_latch },
	{ NETCHANNEL_IOC_FREEZE, do_freeze },
	{ NETCHANNEL_IOC_STATS, do_stats },
};

/* By number: the size encoded in @cmd is that of the caller's version. */
static const struct call *find_call(unsigned int cmd)
{
	u32 nr = _IOC_NR(cmd);

	if (_IOC_TYPE(cmd) != NETCHANNEL_IOC_MAGIC || nr >= ARRAY_SIZE(calls))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(calls));
	return _IOC_DIR(cmd) == _IOC_DIR(calls[nr].cmd) ? &calls[nr] : NULL;
}

/* All arguments are of the first version, so none may be shorter. */
static int copy_in(union argument *arg, const struct call *call,
		   const void __user *user, u32 *user_size)
{
	u32 size = _IOC_SIZE(call->cmd);
	int err;

	if (get_user(*user_size, (const u32 __user *)user))
		return -EFAULT;
	if (*user_size < size)
		return -EINVAL;
	if (*user_size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(arg, size, user, *user_size);
	arg->size = *user_size;
	return err;
}

static long nc_ioctl(struct file *file, unsigned int cmd, unsigned long data)
{
	const struct call *call = find_call(cmd);
	void __user *user = (void __user *)data;
	union argument arg = {};
	u32 user_size;
	int err;

	if (!call)
		return -ENOTTY;
	err = copy_in(&arg, call, user, &user_size);
	if (err)
		return err;
	err = call->handler(file->private_data, &arg);
	if (err || !(_IOC_DIR(call->cmd) & _IOC_READ))
		return err;
	arg.size = user_size;
	if (copy_to_user(user, &arg, _IOC_SIZE(call->cmd)))
		return -EFAULT;
	return 0;
}

static int kick(struct nc_channel *ch)
{
	return nc_channel_check(ch) ?: nc_tx_kick(ch);
}

static int kick_and_wait(struct nc_channel *ch, const struct file *file)
{
	int err = nc_channel_check(ch);

	if (!err && nc_tx_waits(ch))
		err = nc_tx_kick(ch);
	return err ?: nc_channel_wait(ch, file->f_flags & O_NONBLOCK);
}

/* As write() and read(), for each packet: security modules have no say in it each time. */
static int nc_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct nc_channel *ch = file->private_data;

	return datasync ? kick(ch) : kick_and_wait(ch, file);
}

static ssize_t nc_write(struct file *file, const char __user *buf, size_t len,
			loff_t *pos)
{
	struct nc_channel *ch = file->private_data;
	int err = nc_channel_check(ch);

	if (!err && len)
		err = -EINVAL;
	return err ?: kick(ch);
}

static ssize_t nc_read(struct file *file, char __user *buf, size_t len,
		       loff_t *pos)
{
	struct nc_channel *ch = file->private_data;
	int err = nc_channel_check(ch);

	if (!err && len)
		err = -EINVAL;
	return err ?: kick_and_wait(ch, file);
}

static __poll_t nc_poll(struct file *file, poll_table *wait)
{
	struct nc_channel *ch = file->private_data;
	unsigned long flags;
	__poll_t mask = 0;

	poll_wait(file, &ch->wait, wait);
	/* (H) queued before we look; pairs with has_sleeper() */
	smp_mb();
	flags = READ_ONCE(ch->flags);
	if (flags & BIT(NC_CHANNEL_BROKEN))
		mask |= EPOLLERR;
	if (flags & BIT(NC_CHANNEL_GONE))
		mask |= EPOLLHUP;
	if (!nc_channel_area(ch))
		return mask;
	if (nc_channel_readable(ch) || nc_channel_completed(ch))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (nc_tx_writable(ch))
		mask |= EPOLLOUT | EPOLLWRNORM;
	return mask;
}

static int nc_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct nc_area *area = nc_channel_area(file->private_data);

	return area ? nc_area_map(area, vma) : -ENOTCONN;
}

static int nc_open(struct inode *inode, struct file *file)
{
	struct nc_channel *ch = nc_channel_create();

	if (IS_ERR(ch))
		return PTR_ERR(ch);
	file->private_data = ch;
	return stream_open(inode, file);
}

static int nc_release(struct inode *inode, struct file *file)
{
	nc_channel_close(file->private_data);
	return 0;
}

static const struct file_operations nc_fops = {
	.owner = THIS_MODULE,
	.open = nc_open,
	.release = nc_release,
	.read = nc_read,
	.write = nc_write,
	.fsync = nc_fsync,
	.poll = nc_poll,
	.mmap = nc_mmap,
	.unlocked_ioctl = nc_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice nc_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "netchannel",
	.fops = &nc_fops,
	.mode = 0666,
};

/**
 * nc_chardev_init() - make /dev/netchannel appear
 *
 * Return: 0 or a negative errno.
 */
int nc_chardev_init(void)
{
	return misc_register(&nc_device);
}

/**
 * nc_chardev_exit() - make /dev/netchannel disappear
 */
void nc_chardev_exit(void)
{
	misc_deregister(&nc_device);
}
