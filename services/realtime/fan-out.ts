// From Redis to the sockets of this process: one subscribed connection, a channel for each joined conversation.
//
// Pub/sub carries entries quickly and promises nothing; the log promises. A cursor (cursor.ts) sees a gap by its
// offsets and reads the log, and after every reconnection all cursors read the log. So nothing is lost, and nothing
// is read twice while all is well.
import { channelOf, parsePublished } from '@assistant-platform/kit/conversation/log';
import type { Published } from '@assistant-platform/kit/conversation/log';
import type { Placed } from '@assistant-platform/kit/conversation/entries';
import type { Logger } from '@assistant-platform/kit/log';
import type { RedisLink } from '@assistant-platform/kit/redis';

/** Who listens to a conversation. */
export interface Listener {
  live(placed: Placed): void;
  /** The maker of the answer to the message at this offset has given it up. */
  left(replyTo: number): void;
  /** Entries may have been missed: read the log. */
  missed(): void;
}

export interface FanOut {
  /** Resolves when entries reach the listener. @throws when Redis is away; the listener is then not added */
  join(conversation: string, listener: Listener): Promise<void>;
  leave(conversation: string, listener: Listener): void;
  /** Channels subscribed to. */
  readonly channels: () => number;
}

/** Channels in one SUBSCRIBE after a reconnection. */
const subscribeChunk = 500;

export function createFanOut(link: RedisLink, log: Logger): FanOut {
  const { client } = link;
  interface Channel {
    readonly listeners: Set<Listener>;
    subscribed: Promise<unknown>;
  }
  const channels = new Map<string, Channel>();

  client.on('message', (name: string, payload: string) => {
    const channel = channels.get(name);
    if (channel === undefined) return;
    let published: Published;
    try {
      published = parsePublished(payload);
    } catch (error) {
      log.error({ err: error, channel: name }, 'a published entry cannot be read; the log is read instead');
      for (const listener of channel.listeners) listener.missed();
      return;
    }
    for (const listener of channel.listeners) {
      if ('left' in published) listener.left(published.left);
      else listener.live(published);
    }
  });

  const resubscribe = async () => {
    const names = [...channels.keys()];
    for (let i = 0; i < names.length; i += subscribeChunk)
      await client.subscribe(...names.slice(i, i + subscribeChunk));
    for (const channel of channels.values()) for (const listener of channel.listeners) listener.missed();
  };
  client.on('ready', () => {
    resubscribe().catch((error: unknown) => {
      // The connection broke again; the next 'ready' tries anew.
      log.warn({ err: error }, 'subscribing again failed');
      if (client.status === 'ready') client.disconnect(true);
    });
  });

  return {
    async join(conversation, listener) {
      const name = channelOf(conversation);
      let channel = channels.get(name);
      if (channel === undefined) {
        channel = { listeners: new Set(), subscribed: client.subscribe(name) };
        channels.set(name, channel);
      }
      channel.listeners.add(listener);
      try {
        await channel.subscribed;
      } catch (error) {
        // Everybody who waited for this subscription fails and tries again; a new try makes a new channel.
        channel.listeners.delete(listener);
        if (channels.get(name) === channel) channels.delete(name);
        throw error;
      }
    },
    leave(conversation, listener) {
      const name = channelOf(conversation);
      const channel = channels.get(name);
      if (channel === undefined || !channel.listeners.delete(listener) || channel.listeners.size > 0) return;
      channels.delete(name);
      client.unsubscribe(name).catch((error: unknown) => {
        // Without a connection there is no subscription either.
        log.debug({ err: error }, 'unsubscribing failed');
      });
    },
    channels: () => channels.size,
  };
}
