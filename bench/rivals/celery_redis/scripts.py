"""What Redis holds for the Celery rival, and the scripts by which it changes. Each is atomic.

window:WS|CHAT  list  the messages of an open window     due      zset  WS|CHAT by the time it ends
bundle:N        list  the messages of a sealed one       ready    set   workspaces with a queue
queue:WS        list  bundles of a workspace, in order   claim:WS       who delivers for it just now

A claim is given by the sweep and runs out by itself: what a killed worker held is taken up again by
a later sweep, whatever became of the task in the broker.
"""

from typing import Any

ACCEPT = """
local ws, due_ms = ARGV[1], ARGV[2]
for i = 3, #ARGV, 2 do
    local name = ws .. '|' .. ARGV[i]
    if redis.call('RPUSH', 'window:' .. name, ARGV[i + 1]) == 1 then
        redis.call('ZADD', 'due', due_ms, name)
    end
end
"""

SEAL_AND_CLAIM = """
local now_ms, limit, token, claim_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
for _, name in ipairs(redis.call('ZRANGEBYSCORE', 'due', '-inf', now_ms, 'LIMIT', 0, limit)) do
    local bundle = redis.call('INCR', 'bundles')
    local ws = string.match(name, '^[^|]*')
    redis.call('RENAME', 'window:' .. name, 'bundle:' .. bundle)
    redis.call('RPUSH', 'queue:' .. ws, bundle)
    redis.call('SADD', 'ready', ws)
    redis.call('ZREM', 'due', name)
end
local claimed = {}
for _, ws in ipairs(redis.call('SMEMBERS', 'ready')) do
    if redis.call('SET', 'claim:' .. ws, token, 'NX', 'PX', claim_ms) then
        table.insert(claimed, ws)
    end
end
return claimed
"""

# The bundle that was delivered, or '', is off; the next one with its messages, if the claim holds.
NEXT_AFTER = """
local ws, token, done, claim_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('GET', 'claim:' .. ws) ~= token then
    return {}
end
local head = redis.call('LINDEX', 'queue:' .. ws, 0)
if head and head == done then
    redis.call('LPOP', 'queue:' .. ws)
    redis.call('DEL', 'bundle:' .. done)
    head = redis.call('LINDEX', 'queue:' .. ws, 0)
end
if not head then
    redis.call('SREM', 'ready', ws)
    redis.call('DEL', 'claim:' .. ws)
    return {}
end
redis.call('PEXPIRE', 'claim:' .. ws, claim_ms)
return {head, redis.call('LRANGE', 'bundle:' .. head, 0, -1)}
"""

CONFIGURATION = """
port 0
unixsocket {folder}/redis.sock
dir {folder}
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
"""


def bundle_of(answer: list[Any]) -> tuple[bytes, list[bytes]] | None:
    """What `NEXT_AFTER` has said."""
    if not answer:
        return None
    number, members = answer
    return number, members
