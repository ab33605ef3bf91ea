// The Lua behind the conversation log. Everything that must be true together happens in one script: the offset, the
// stream entry, the memory of what a client sent, who is answering, and the word to other pods.
//
// Keys of a conversation (one hash tag, hence one slot of a cluster):
//   {c:ID}:log      stream; the entry at offset N has the id N-0; fields t (type) and d (JSON)
//   {c:ID}:head     hash epoch, offset; process: the run id of the Redis that the epoch was written by; before: "EPOCH OFFSET", where the epoch
//                   that this one continues was left
//   {c:ID}:pending  hash: offset of an unanswered message -> "LEASE_END_MS ANSWER_ID"
//   {c:ID}:sent:K   string "OFFSET": append with idempotency key K has happened
// A Redis that has been started again, or has taken another's place, may have lost the last moments, and would give their offsets a second time.
// So the first entry that it takes begins an epoch that continues the one before from what is left of it.
// Channel c:ID: "EPOCH OFFSET JSON" for each entry; "left OFFSET" when an answer to that message was given up.
import { redisScript } from '../redis-script.ts';

/**
 * KEYS log, head, pending, sent.
 * ARGV 1 epoch if a new one begins, 2 ms to keep the log, 3 entries to keep, 4 ms to remember the idempotency key,
 * 5 channel, 6 claim (open | hold | close), 7 offset of the claim (hold, close), 8 answer id, 9 lease in ms,
 * 10 run id of this Redis, 11.. type and JSON of each entry.
 * Returns {'ok' | 'duplicate', epoch, offset of the last entry} or {'lost'}: somebody else holds the claim.
 */
export const appendScript = redisScript(`
local log, head, pending, sent = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local epoch = redis.call('HGET', head, 'epoch')
if epoch then
  local seen = redis.call('GET', sent)
  if seen then return {'duplicate', epoch, tonumber(seen)} end
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local claim, claimed, answer = ARGV[6], ARGV[7], ARGV[8]
if claim ~= 'open' then
  local held = redis.call('HGET', pending, claimed)
  if not held or string.sub(held, string.find(held, ' ') + 1) ~= answer then return {'lost'} end
end
if not epoch then
  epoch = ARGV[1]
  redis.call('DEL', log, pending)
  redis.call('HSET', head, 'epoch', epoch, 'offset', 0)
end
local process = redis.call('HGET', head, 'process')
if process and process ~= ARGV[10] then
  redis.call('HSET', head, 'epoch', ARGV[1], 'before', epoch .. ' ' .. redis.call('HGET', head, 'offset'))
  epoch = ARGV[1]
end
redis.call('HSET', head, 'process', ARGV[10])
local offset
for i = 11, #ARGV, 2 do
  offset = redis.call('HINCRBY', head, 'offset', 1)
  redis.call('XADD', log, 'MAXLEN', '=', ARGV[3], string.format('%d-0', offset), 't', ARGV[i], 'd', ARGV[i + 1])
  redis.call('PUBLISH', ARGV[5], epoch .. ' ' .. string.format('%d', offset) .. ' ' .. ARGV[i + 1])
end
redis.call('SET', sent, offset, 'PX', ARGV[4])
local lease = string.format('%d', now + ARGV[9]) .. ' ' .. answer
if claim == 'open' then
  redis.call('HSET', pending, offset, lease)
elseif claim == 'hold' then
  redis.call('HSET', pending, claimed, lease)
else
  redis.call('HDEL', pending, claimed)
end
for _, key in ipairs({log, head, pending}) do redis.call('PEXPIRE', key, ARGV[2]) end
return {'ok', epoch, offset}
`);

/**
 * KEYS log, head. ARGV 1 offset to read behind, 2 most entries, 3 epoch if a new one begins, 4 ms to keep the log.
 * Returns {epoch, head offset, first retained offset or 0, {offset, JSON, offset, JSON, ...}, 'EPOCH OFFSET' before or ''}.
 */
export const readScript = redisScript(`
local log, head = KEYS[1], KEYS[2]
local epoch = redis.call('HGET', head, 'epoch')
if not epoch then
  epoch = ARGV[3]
  redis.call('DEL', log)
  redis.call('HSET', head, 'epoch', epoch, 'offset', 0)
  redis.call('PEXPIRE', head, ARGV[4])
end
local top = tonumber(redis.call('HGET', head, 'offset'))
local function offsetOf(id) return tonumber(string.sub(id, 1, string.find(id, '-') - 1)) end
local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)
local first = 0
if oldest[1] then first = offsetOf(oldest[1][1]) end
local found = {}
for _, item in ipairs(redis.call('XRANGE', log, '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])) do
  found[#found + 1] = offsetOf(item[1])
  found[#found + 1] = item[2][4]
end
return {epoch, top, first, found, redis.call('HGET', head, 'before') or ''}
`);

/**
 * KEYS pending. ARGV 1 offset of the message, 2 answer id, 3 lease in ms.
 * Returns 1 when the message is unanswered and nobody's lease runs: the caller answers it now.
 */
export const claimScript = redisScript(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(string.sub(held, 1, string.find(held, ' ') - 1)) > now then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now + ARGV[3]) .. ' ' .. ARGV[2])
return 1
`);

/** KEYS pending. ARGV 1 offset, 2 answer id, 3 lease in ms. Returns 0 when somebody else holds the claim. */
export const renewScript = redisScript(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held or string.sub(held, string.find(held, ' ') + 1) ~= ARGV[2] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', now + ARGV[3]) .. ' ' .. ARGV[2])
return 1
`);

/**
 * KEYS pending. ARGV 1 offset, 2 answer id, 3 channel. Ends the lease and says so on the channel ("left OFFSET"), so
 * that another pod takes the answer over at once.
 */
export const releaseScript = redisScript(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held and string.sub(held, string.find(held, ' ') + 1) == ARGV[2] then
  redis.call('HSET', KEYS[1], ARGV[1], '0 ' .. ARGV[2])
  redis.call('PUBLISH', ARGV[3], 'left ' .. ARGV[1])
  return 1
end
return 0
`);
