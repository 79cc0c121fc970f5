/** What a visitor does and sees on the page of the chat; each resolves once the page shows it. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

export const shows = (page: Page, text: string) => page.getByText(text).first().waitFor();

export const isConnectedAs = (page: Page, who: string) => hasStatus(page, `Connected as ${who}`);

export const hasStatus = (page: Page, words: string) =>
  page.getByRole("status").filter({ hasText: words }).waitFor();

/** The log of `page` has this message by this writer. */
export const hears = (page: Page, writer: string, text: string) =>
  page.getByRole("article").filter({ hasText: writer }).filter({ hasText: text }).waitFor();

/** What happened, as the page tells it. */
export const tells = (page: Page, words: string | RegExp) =>
  page.getByRole("log", { name: "What happened" }).getByText(words).first().waitFor();

export async function logIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Your name").press("Enter");
  await isConnectedAs(page, name);
}

export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
}

const checks = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations"],
};

/** Fails for what axe finds, and for a page that is wider than its window. */
export async function isAccessible(page: Page, state: string): Promise<void> {
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(axe.source);
  const found = await page.evaluate(`axe.run(document, ${JSON.stringify(checks)}).then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => html + " " + failureSummary)]))`);
  expect(found, state).toEqual([]);
  const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
  expect(overflow, `${state}: wider than the window`).toBeLessThanOrEqual(0);
}

/** The element is on the screen without scrolling. */
export async function isInView(page: Page, label: string): Promise<void> {
  const box = await page.getByLabel(label, { exact: true }).boundingBox();
  const viewport = page.viewportSize();
  expect(box && viewport && box.y >= 0 && box.y + box.height <= viewport.height, `${label} is in view`).toBe(
    true,
  );
}
