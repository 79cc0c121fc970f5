/** The recording listener of the published suite, under the names that tests use. */
import type { SessionStore } from "../../src/session-store.ts";
import { type RecordingListener, subscribe } from "../../src/testing/store/recording-listener.ts";

export {
  allReceived as everythingTold,
  feedOptions,
  isOf,
  RecordingListener as Heard,
} from "../../src/testing/store/recording-listener.ts";

export async function listen(
  store: SessionStore,
): Promise<{ heard: RecordingListener; stop: () => Promise<void> }> {
  const { received, stop } = await subscribe(store);
  return { heard: received, stop };
}
