/** What the tabs of a browser send each other: a login, a logout, or the time when the cookie was last set. */
export type TabMessage = "in" | "out" | number;

interface Channel {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: TabMessage): void;
  close(): void;
  /** Of Node, whose process would go on for the channel. */
  unref?(): void;
}

declare const BroadcastChannel: new (name: string) => Channel;

/** The other tabs with this name; none where the browser has no channels, or forbids them. */
export function tabs(name: string, onMessage: (message: unknown) => void) {
  let channel: Channel | undefined;

  function open(): void {
    try {
      channel ??= new BroadcastChannel(name);
      channel.onmessage = ({ data }) => onMessage(data);
      channel.unref?.();
    } catch {
      // each tab is by itself
    }
  }

  open();
  return {
    open,
    post: (message: TabMessage) => channel?.postMessage(message),

    /** In some browsers a page that has an open channel does not enter the back/forward cache. */
    close(): void {
      channel?.close();
      channel = undefined;
    },
  };
}
