/** The data of a session whose JSON takes that many bytes, nearly: a name, and a list of small objects. */
export function sessionOf(bytes: number): Record<string, unknown> {
  const items: object[] = [];
  const data = { name: "ada", items };
  const item = (id: number) => ({
    id,
    title: `Item ${id} of a list`,
    price: id * 1.25,
    tags: ["new", "red"],
  });
  const itemBytes = JSON.stringify(item(100)).length + 1;
  const count = Math.round((bytes - JSON.stringify(data).length) / itemBytes);
  for (let id = 0; id < count; id++) items.push(item(id));
  return data;
}
