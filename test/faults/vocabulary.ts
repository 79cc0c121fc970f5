/**
 * What goes wrong in the stories, and how it is put right again.
 *
 * ```ts
 * dropFeed(node, "silent");
 * await ada.post("/logout"); // on another node
 * await closed(socket);
 * await heal(node);
 * ```
 */
import type { Server } from "../../scripts/services/server.mjs";
import type { NodeSetting } from "../support/node-process.ts";
import { type NodeProcess, startNode } from "../support/node-process.ts";
import type { StoreAddress } from "../support/store-address.ts";
import { type Cut, type FeedMarks, TcpProxy } from "./tcp-proxy.ts";

/** A node whose way to its store leads through a proxy of its own. */
export interface LinkedNode extends NodeProcess {
  readonly link: TcpProxy;
}

export async function startLinkedNode(setting: NodeSetting, feed: FeedMarks): Promise<LinkedNode> {
  const link = await TcpProxy.start(placeOf(setting.store), feed);
  try {
    const node = await startNode({ ...setting, store: through(link, setting.store) });
    const close = async () => {
      await node.close();
      link.close();
    };
    return { ...node, link, close };
  } catch (error) {
    link.close();
    throw error;
  }
}

/** The node and its store hear nothing of each other any more. */
export function cutLink(node: LinkedNode, how: Cut): void {
  node.link.cut(how);
}

/** The node's change feed is cut, however often it is opened anew; all else passes. */
export function dropFeed(node: LinkedNode, how: Cut): void {
  node.link.dropFeed(how);
}

/** Each question to the store is answered `ms` later. */
export function delayLink(node: LinkedNode, ms: number): void {
  node.link.delay(ms / 2);
}

/** The node's link is whole again. */
export function heal(node: LinkedNode): Promise<void> {
  return node.link.heal();
}

export function freezeNode(node: NodeProcess): void {
  node.signal("SIGSTOP");
}

export function thawNode(node: NodeProcess): void {
  node.signal("SIGCONT");
}

/** As by a crash, in the midst of whatever it does. */
export function killNode(node: NodeProcess): Promise<void> {
  return node.kill();
}

/** As by a crash. */
export function killStore(server: Server): Promise<void> {
  return server.kill();
}

/** The same data on the same port again, after a crash if it has not been killed yet. */
export async function restartStore(server: Server): Promise<void> {
  await server.kill();
  await server.start();
}

function placeOf({ url }: StoreAddress): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
}

function through({ port }: TcpProxy, address: StoreAddress): StoreAddress {
  const url = new URL(address.url);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return { ...address, url: url.href };
}
