/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of connections: `connections` are records of a cache line, `buckets` says where a flow's lies. A flow's bucket, and
 * the seven behind it, have numbers of records, each with a part of the flow's hash: to find a connection is to read
 * one line of each. Entries come by compare-and-swap and never move, so that nobody who looks waits for anybody.
 *
 * docs/decisions/0022-a-table-of-our-own.md has why.
 */
#ifndef SLUICE_TABLE_H
#define SLUICE_TABLE_H

#include "maps.h"
#include "parse.h"

/* How many buckets a flow's entry may be in. */
#define BUCKETS_TRIED 8

#define PRINT_SHIFT 32 /* of an entry: the hash's part above, the record's number and 1 below */
#define NOT_FOUND 0

/* A word that no connection has: of a record that is nobody's. */
#define WORD_FREE FLAG_DIRECTORS

/* Of a word: what else than addresses and ports makes a flow. TCP and IPv4 have neither. */
#define WORD_UDP 0x100000
#define WORD_IPV6 0x200000
#define WORD_KIND (WORD_UDP | WORD_IPV6)

static __always_inline __u32 ticks_now(void)
{
	return bpf_ktime_get_coarse_ns() >> TICK_SHIFT;
}

/* Both as they lie, and what fills their word, which is 0. */
static __always_inline __u32 protocol_and_family(const struct flow_key *flow)
{
	return *(const half_t *)&flow->protocol;
}

/* No branch: of TCP and UDP (6, 17) one bit tells which it is, and of the families (4, 6) another. */
static __always_inline __u64 kind_of(const struct flow_key *flow)
{
	__u32 both = protocol_and_family(flow);

	_Static_assert((IPPROTO_UDP & ~IPPROTO_TCP & 0x10) << 16 == WORD_UDP && (6 & ~4) << 20 == WORD_IPV6, "bits of kinds");
	return (both & 0x10) << 16 | (both & 0x200) << 12;
}

/* Both of a flow's ports, as they lie. */
static __always_inline __u32 ports_of(const __be16 *source_port)
{
	return *(const half_t *)source_port;
}

/* Of two words, by a secret: the pair's part of NH (Black et al., UMAC, 1999). */
static __always_inline __u64 mixed(__u32 one, __u32 other, const __u32 *secret)
{
	return (__u64)(__u32)(one + secret[0]) * (__u32)(other + secret[1]);
}

/* NH, and then by an odd secret, whose product's upper half is the index's. */
static __always_inline __u64 hash_of(const struct flow_key *flow, const struct settings *now)
{
	const __u32 *secret = now->secret;
	__u64 sum = mixed(flow->source[3], flow->destination[3], secret);

	sum += mixed(ports_of(&flow->source_port), protocol_and_family(flow), secret + 2);
	if (flow->family == 6) {
		sum += mixed(flow->source[0], flow->source[1], secret + 4);
		sum += mixed(flow->source[2], flow->destination[0], secret + 6);
		sum += mixed(flow->destination[1], flow->destination[2], secret + 8);
	}
	return sum * now->multiplier;
}

static __always_inline __u32 print_of(__u64 hash)
{
	/* Never that of an empty place. */
	return hash >> 16 | 1;
}

static __always_inline struct bucket *bucket_of(__u64 hash, __u32 step, const struct settings *now)
{
	__u32 at = ((__u32)(hash >> (now->index_shift & 63)) + step) & now->index_mask;

	return bpf_map_lookup_elem(&buckets, &at);
}

/* As they lie. Of IPv4's addresses the last word says all, once the kind is the same. */
static __always_inline bool is_same_flow(const struct record *record, __u64 word, const struct flow_key *flow)
{
	const whole_t *ours = (const whole_t *)record->client;
	const whole_t *theirs = (const whole_t *)flow->source;
	__u64 differs = (word ^ kind_of(flow)) & WORD_KIND;

	differs |= ports_of(&record->client_port) ^ ports_of(&flow->source_port);
	if (flow->family == 4)
		return !(differs | (record->client[3] ^ flow->source[3]) | (record->service[3] ^ flow->destination[3]));
	return !(differs | (ours[0] ^ theirs[0]) | (ours[1] ^ theirs[1]) | (ours[2] ^ theirs[2]) | (ours[3] ^ theirs[3]));
}

/*
 * The record of an entry, if it is the flow's. Its word is read before the flow is compared: as long as the epoch in there
 * stands, what was compared was this connection's.
 */
static __always_inline struct record *record_of(__u64 entry, const struct flow_key *flow, __u64 *word)
{
	__u32 number = entry - 1;
	struct record *record = bpf_map_lookup_elem(&connections, &number);

	if (!record)
		return NULL;
	*word = *(volatile __u64 *)&record->word;
	barrier();
	return is_same_flow(record, *word, flow) ? record : NULL;
}

/* A flow's entry in all its buckets, another one than `except`; NOT_FOUND. Global, so that a verifier looks at it once. */
__u64 __attribute__((noinline)) look_through(const struct flow_key *flow, __u64 hash, __u64 except)
{
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);

	if (!now || !flow)
		return NOT_FOUND;
	for (int step = 0; step < BUCKETS_TRIED; step++) {
		struct bucket *bucket = bucket_of(hash, step, now);

		if (!bucket)
			return NOT_FOUND;
		for (int slot = 0; slot < BUCKET_ENTRIES; slot++) {
			__u64 entry = *(volatile __u64 *)&bucket->entries[slot], word;

			if (entry >> PRINT_SHIFT != print_of(hash) || (__u32)entry == 0 || entry == except)
				continue;
			if (record_of((__u32)entry, flow, &word))
				return entry;
		}
		if (bucket->passed == 0)
			return NOT_FOUND;
	}
	return NOT_FOUND;
}

/* The upper half of an entry, alone. */
static __always_inline __u32 print_at(const struct bucket *bucket, int slot)
{
	return ((const half_t *)bucket->entries)[2 * slot + 1];
}

/* A flow's connection, its word and its entry, which says nothing where none is found. One line of the index is enough for nearly all. */
static __always_inline struct record *find_entry(const struct flow_key *flow, const struct settings *now, __u64 *word,
						 __u64 *found)
{
	__u64 hash = hash_of(flow, now), entry = 0;
	struct bucket *bucket = bucket_of(hash, 0, now);
	struct record *record;

	*found = NOT_FOUND;
	if (!bucket)
		return NULL;
#pragma unroll
	for (int slot = 0; slot < BUCKET_ENTRIES; slot++) {
		if (print_at(bucket, slot) == print_of(hash)) {
			entry = *(volatile __u64 *)&bucket->entries[slot];
			break;
		}
	}
	if ((__u32)entry) {
		record = record_of((__u32)entry, flow, word);
		*found = entry;
		if (record)
			return record;
	} else if (bucket->passed == 0) {
		return NULL;
	}
	*found = look_through(flow, hash, NOT_FOUND);
	return *found == NOT_FOUND ? NULL : record_of((__u32)*found, flow, word);
}

static __always_inline struct record *find(const struct flow_key *flow, const struct settings *now, __u64 *word)
{
	__u64 entry;

	return find_entry(flow, now, word, &entry);
}

/* Where the flow's connection was found before, if it is still there: a record that is nobody's has no epoch. */
static __always_inline struct record *find_again(__u32 entry, const struct flow_key *flow, __u64 *word)
{
	struct record *record = entry ? record_of(entry, flow, word) : NULL;

	return record && *word >> EPOCH_SHIFT ? record : NULL;
}

/* Entries that lie further on have passed by these buckets. */
static __always_inline void change_passed(__u64 hash, int steps, int change, const struct settings *now)
{
	for (int step = 0; step < BUCKETS_TRIED; step++) {
		struct bucket *bucket = bucket_of(hash, step, now);

		if (!bucket || step >= steps)
			return;
		__sync_fetch_and_add(&bucket->passed, change);
	}
}

/* What the index has of a record whose flow has this hash. */
static __always_inline __u64 entry_of(__u64 hash, __u32 number)
{
	return (__u64)print_of(hash) << PRINT_SHIFT | (number + 1);
}

/* False when all its buckets are full. */
int __attribute__((noinline)) add_entry(__u64 hash, __u64 entry)
{
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);

	if (!now)
		return false;
	for (int step = 0; step < BUCKETS_TRIED; step++) {
		struct bucket *bucket = bucket_of(hash, step, now);

		if (!bucket)
			return false;
		for (int slot = 0; slot < BUCKET_ENTRIES; slot++)
			if (bucket->entries[slot] == 0 &&
			    __sync_val_compare_and_swap(&bucket->entries[slot], 0, entry) == 0)
				return true;
		__sync_fetch_and_add(&bucket->passed, 1);
	}
	change_passed(hash, BUCKETS_TRIED, -1, now);
	return false;
}

int __attribute__((noinline)) remove_entry(__u64 hash, __u64 entry)
{
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);

	if (!now)
		return false;
	for (int step = 0; step < BUCKETS_TRIED; step++) {
		struct bucket *bucket = bucket_of(hash, step, now);

		if (!bucket)
			return false;
		for (int slot = 0; slot < BUCKET_ENTRIES; slot++) {
			if (bucket->entries[slot] != entry ||
			    __sync_val_compare_and_swap(&bucket->entries[slot], entry, 0) != entry)
				continue;
			change_passed(hash, step, -1, now);
			return true;
		}
	}
	return false;
}

/*
 * A record that is nobody's, and its number: one that never was in use, else the one that has not been for longest, so that
 * whoever has just found it under another flow is long done with it.
 */
static __always_inline struct record *take_record(__u32 *number)
{
	struct tally *counts = bpf_map_lookup_elem(&tally, &ONLY);

	if (!counts)
		return NULL;
	*number = counts->records;
	if (bpf_map_lookup_elem(&connections, number))
		*number = __sync_fetch_and_add(&counts->records, 1);
	if (!bpf_map_lookup_elem(&connections, number) && bpf_map_pop_elem(&free_records, number))
		return NULL;
	return bpf_map_lookup_elem(&connections, number);
}

static __always_inline void free_record(__u32 number)
{
	bpf_map_push_elem(&free_records, &number, 0);
}

/*
 * Shows a record that has been filled in to whoever looks for its flow. When there is no room, or when somebody has added
 * one for the same flow meanwhile (then one of both gives way, or both do), it is nobody's again.
 */
int __attribute__((noinline)) publish(const struct flow_key *flow, __u32 number)
{
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);
	struct record *record = bpf_map_lookup_elem(&connections, &number);
	__u64 hash, entry;

	if (!now || !record || !flow)
		return false;
	hash = hash_of(flow, now);
	entry = entry_of(hash, number);
	if (add_entry(hash, entry)) {
		if (look_through(flow, hash, entry) == NOT_FOUND)
			return true;
		remove_entry(hash, entry);
	}
	record->word = WORD_FREE;
	free_record(number);
	return false;
}

/* The flow's connection is no more. False when somebody else has ended it meanwhile. */
static __always_inline bool delete(const struct flow_key *flow, struct record *record, const struct settings *now)
{
	__u64 hash = hash_of(flow, now), entry = look_through(flow, hash, NOT_FOUND);

	if (entry == NOT_FOUND || !remove_entry(hash, entry))
		return false;
	record->word = WORD_FREE;
	free_record((__u32)entry - 1);
	return true;
}

#endif /* SLUICE_TABLE_H */
