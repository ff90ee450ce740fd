/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of a packet where it arrives, at tc or at XDP: parse it, find whose it is, send it on, or leave it to the host. */
#ifndef SLUICE_CARD_H
#define SLUICE_CARD_H

#include "parse.h"
#include "request.h"
#include "answer.h"
#include "tell.h"

/* What is passed goes up the host's stack, or on to the daemon. */
static __always_inline int pass(enum verdict verdict)
{
	count_verdict(verdict);
	return FRAME_PASSES;
}

/* A packet that was sent on, or lost on the way. */
static __always_inline int leave(frame_t *frame, const struct packet *packet, const struct settings *now,
				 const struct passage *passage, enum verdict verdict)
{
	count_verdict(verdict);
	if (now->is_watched)
		tell_watcher(frame, packet, passage, verdict);
	return verdict == VERDICT_DROP_NO_MEMORY ? FRAME_IS_LOST : send_frame(frame, packet, passage->way.departure);
}

static __always_inline int meet_at_card(frame_t *frame)
{
	struct settings *now = bpf_map_lookup_elem(&settings, &ONLY);
	struct packet packet = {};
	struct passage passage = {};
	struct record *connection;
	struct reply *reply;
	enum verdict verdict;
	__u64 word = 0;

	if (!now || now->generation == 0)
		return FRAME_PASSES;
	verdict = parse(frame, &packet);
	if (verdict != VERDICT_GO_ON)
		return pass(verdict);
	if (!(now->carried & protocol_bit(&packet)))
		return pass(VERDICT_PASS_DIRECTOR);
	if (!(now->at_card & protocol_bit(&packet)))
		return pass(VERDICT_PASS_OLD);
	packet.ticks = ticks_now();
	connection = find(&packet.flow, now, &word);
	reply = connection ? NULL : reply_for(&packet, now);
	if (reply)
		verdict = answer(frame, &packet, reply, now, &passage);
	else
		verdict = request(frame, &packet, connection, word, now, &passage);
	if (is_passed(verdict))
		return pass(verdict);
	return leave(frame, &packet, now, &passage, verdict);
}

#endif /* SLUICE_CARD_H */
