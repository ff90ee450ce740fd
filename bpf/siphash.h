/* SPDX-License-Identifier: GPL-2.0-only */
/* SipHash-1-3 of a word, cut to 32 bits, with the key of mh's first hash: src/ipvs/schedulers/siphash.ts, ip_vs_mh.c. */
#ifndef SLUICE_SIPHASH_H
#define SLUICE_SIPHASH_H

#include <linux/types.h>

#define MAGLEV_KEY 2654435761ULL

struct sip_state {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotated(__u64 word, __u32 bits)
{
	return word << bits | word >> (64 - bits);
}

static __always_inline void sip_round(struct sip_state *state)
{
	state->v0 += state->v1;
	state->v1 = rotated(state->v1, 13) ^ state->v0;
	state->v0 = rotated(state->v0, 32);
	state->v2 += state->v3;
	state->v3 = rotated(state->v3, 16) ^ state->v2;
	state->v0 += state->v3;
	state->v3 = rotated(state->v3, 21) ^ state->v0;
	state->v2 += state->v1;
	state->v1 = rotated(state->v1, 17) ^ state->v2;
	state->v2 = rotated(state->v2, 32);
}

/*
 * hsiphash_1u32() on 64-bit machines (lib/siphash.c): the only block is the word, with its length on top. Global, so that a verifier
 * looks at it once.
 */
__u32 __attribute__((noinline)) siphash(__u32 word)
{
	__u64 block = (__u64)sizeof(word) << 56 | word;
	struct sip_state state = {
		0x736f6d6570736575ULL ^ MAGLEV_KEY,
		0x646f72616e646f6dULL ^ MAGLEV_KEY,
		0x6c7967656e657261ULL ^ MAGLEV_KEY,
		0x7465646279746573ULL ^ MAGLEV_KEY,
	};

	state.v3 ^= block;
	sip_round(&state);
	state.v0 ^= block;
	state.v2 ^= 0xff;
	sip_round(&state);
	sip_round(&state);
	sip_round(&state);
	block = state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
	return block;
}

#endif /* SLUICE_SIPHASH_H */
