import { isIPv4, isIPv6 } from "node:net";

/** The first three of an IPv4 address's four numbers; of an IPv6 address the 48 bits that one provider gives one site. */
export function networkOf(address: string): string {
  const plain = withoutPrefix(address);
  if (plain === "::1" || plain.startsWith("127.")) return "this machine";
  if (isIPv4(plain)) return plain.replace(/\d+$/, "x");
  if (isIPv6(plain)) return `${firstGroups(plain, 3)}:…`;
  return "an unknown network";
}

/**
 * What is counted together where an address may do something so often: an IPv4 address, or the 64 bits of an IPv6 address
 * that one customer has, who may take any address of that network.
 */
export function countedNetwork(address: string): string {
  const plain = withoutPrefix(address);
  return isIPv6(plain) ? firstGroups(plain, 4) : plain;
}

/** An IPv4 address as a socket for IPv6 shows it. */
const withoutPrefix = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, "");

function firstGroups(address: string, count: number): string {
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const omitted = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  return [...groups, ...Array<string>(Math.max(omitted, 0)).fill("0"), ...(tail?.split(":") ?? [])]
    .slice(0, count)
    .join(":");
}
