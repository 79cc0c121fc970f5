/** The diffs of the documents. */

/** The lines of a diff without those of one mark: without `-` they are what it leads to. */
export const withoutLines = (mark: "-" | "+", diff: string) =>
  diff
    .split("\n")
    .filter((line) => !line.startsWith(mark))
    .map((line) => line.slice(1))
    .join("\n");

/** Makes the changes of a diff, whose lines have to be in the text. Between the changes a line says that some are left out. */
export function applyDiff(text: string, diff: string): string {
  return diff.split(/\n \/\/ …\n/).reduce((changed, hunk) => {
    const before = withoutLines("+", hunk);
    if (!changed.includes(before)) throw new Error(`There are no lines to change:\n${before}`);
    return changed.replace(before, () => withoutLines("-", hunk));
  }, text);
}
