/* SPDX-License-Identifier: MIT */
/* Counters: one line here adds one, with its name.  What TCP drops or ignores has one for each
 * cause: Documentation/tcp.rst, "What can be seen", has them all, with their RFCs.
 */
#ifndef US_CORE_COUNTER_H
#define US_CORE_COUNTER_H

#define US_COUNTER_LIST(X) \
	X(pkt_exhausted) \
	X(ip_in) X(ip_out) \
	X(ip_bad_header) X(ip_bad_csum) X(ip_bad_options) X(ip_bad_source) X(ip_fragment) \
	X(ip_not_ours) X(ip_no_protocol) X(ip_no_route) X(ip_link_full) \
	X(ip_neigh_failed) X(ip_neigh_queue_full) X(ip_doubted) \
	X(arp_in) X(arp_bad) X(nd_in) X(nd_bad) \
	X(icmp_in) X(icmp_bad) X(icmp_echo) X(icmp_error_in) X(icmp_error_out) \
	X(icmp_ignored) X(icmp_error_limited) X(icmp_error_ignored) X(icmp_error_bad_mtu) \
	X(icmp_error_bad_quote) X(icmp_error_foreign) X(icmp_error_no_protocol) \
	X(udp_in) X(udp_out) X(udp_bad_header) X(udp_bad_csum) X(udp_no_port) \
	X(udp_buffer_full) X(udp_out_lost) \
	X(udp_icmp_no_port) X(udp_icmp_unconnected) X(udp_icmp_soft) \
	X(tcp_in) X(tcp_out) X(tcp_bad_header) X(tcp_bad_csum) X(tcp_bad_options) \
	X(tcp_no_port) X(tcp_rst_out) X(tcp_rst_in) \
	X(tcp_icmp_no_port) X(tcp_icmp_not_in_flight) X(tcp_icmp_mtu_ignored) \
	X(tcp_active_open) X(tcp_passive_open) X(tcp_established) X(tcp_closed) \
	X(tcp_syn_dropped) X(tcp_syn_dropped_peer) X(tcp_syn_dropped_wait) X(tcp_syn_text) \
	X(tcp_listen_rst) X(tcp_listen_ack) X(tcp_listen_no_syn) X(tcp_listen_syn_fin) \
	X(tcp_peer_busy) X(tcp_peer_refused) X(tcp_accept_deferred) \
	X(tcp_accept_full) X(tcp_no_memory) X(tcp_orphan_dropped) \
	X(tcp_cookie_sent) X(tcp_cookie_accepted) X(tcp_cookie_refused) \
	X(tcp_paws) X(tcp_out_of_window) X(tcp_bad_ack) X(tcp_challenge_ack) \
	X(tcp_challenge_limited) X(tcp_rst_ignored) X(tcp_rst_no_ack) X(tcp_syn_ignored) \
	X(tcp_syn_missing) \
	X(tcp_bad_flags) X(tcp_old_ack) X(tcp_sack_ignored) X(tcp_sack_refused) \
	X(tcp_fin_ignored) X(tcp_fin_old) X(tcp_beyond_fin) \
	X(tcp_ts_missing) X(tcp_data_after_close) X(tcp_dsack_in) \
	X(tcp_spurious) \
	X(tcp_mtu_black_hole) X(tcp_mtu_probe) X(tcp_mtu_raised) X(tcp_mtu_probe_lost) \
	X(tcp_fastopen_active) X(tcp_fastopen_passive) X(tcp_fastopen_bad_cookie) \
	X(tcp_fastopen_full) X(tcp_fastopen_refused) X(tcp_fastopen_lost) \
	X(tcp_ecn_ce) X(tcp_ecn_reduced) X(tcp_ecn_mangled) \
	X(tcp_syn_limited) X(tcp_time_wait_limited) \
	X(tcp_header_predicted) X(tcp_dup_ack) X(tcp_retransmit) X(tcp_fast_retransmit) \
	X(tcp_rto) X(tcp_ooo) X(tcp_ooo_dropped) X(tcp_reass_expired) X(tcp_rcv_dropped) X(tcp_duplicate) \
	X(tcp_zero_window_probe) X(tcp_window_full) X(tcp_delayed_ack) X(tcp_tail_probe) \
	X(tcp_urgent) \
	X(tcp_time_wait) X(tcp_time_wait_overflow) X(tcp_time_wait_reused) \
	X(tcp_time_wait_expired) X(tcp_time_wait_rst) X(tcp_time_wait_syn) \
	X(tcp_time_wait_ack) X(tcp_time_wait_old) X(tcp_timeout) \
	X(tcp_data_segs_in) X(tcp_data_segs_out) X(tcp_bytes_sent) X(tcp_bytes_retransmit) \
	X(tcp_bytes_acked) X(tcp_bytes_received)	/* tcp_info.c: by their connections */

enum us_counter {
#define X(name) US_COUNT_##name,
	US_COUNTER_LIST(X)
#undef X
	US_COUNTERS
};

/* The name of a counter, as ustack_counters() prints it. */
const char *us_counter_name(enum us_counter counter);

#endif /* US_CORE_COUNTER_H */
