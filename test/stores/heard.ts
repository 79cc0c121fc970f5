/** The recording listener of the published suite, under the names that tests use. */
import type { SessionStore } from "../../src/session-store.ts";
import { feedOptions, RecordingListener, subscribe } from "../../src/testing/store/recording-listener.ts";

export {
  allReceived as everythingTold,
  feedOptions,
  isOf,
  RecordingListener as Heard,
} from "../../src/testing/store/recording-listener.ts";

/** Subscribes, and leaves; rejects with the reason if the feed is broken at its start. */
export async function openFeed(store: SessionStore, { heartbeatMs } = feedOptions): Promise<void> {
  const received = new RecordingListener();
  const stop = await store.changes?.(received, { heartbeatMs });
  await stop?.();
  for (const error of received.errors) throw error;
}

export async function listen(
  store: SessionStore,
): Promise<{ heard: RecordingListener; stop: () => Promise<void> }> {
  const { received, stop } = await subscribe(store);
  return { heard: received, stop };
}
