/** "1 tab", "2 tabs", "no tabs". */
export function countOf(count: number, unit: string): string {
  return `${count === 0 ? "no" : count} ${unit}${count === 1 ? "" : "s"}`;
}
