/** The story of `tellExample` on the page of an example, in two tabs of a real browser. */
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";

export const says = (page: Page, text: string) =>
  page.getByRole("status").filter({ hasText: text }).waitFor();

const press = (page: Page, name: string) => page.getByRole("button", { name }).click();

/** Ends logged in, as Grace, in the tab that `then` gets. */
export async function tellPage(
  chromium: Browser,
  url: string,
  then: (page: Page) => Promise<void> = async () => {},
): Promise<void> {
  const context = await chromium.newContext();
  context.setDefaultTimeout(20_000);
  const errors: Error[] = [];
  const open = async () => {
    const page = await context.newPage();
    page.on("pageerror", (error) => errors.push(error));
    await page.goto(url);
    return page;
  };
  const page = await open();
  await says(page, "Not logged in (SESSION_REQUIRED).");
  const name = "<b>Ada</b>";
  await page.getByLabel("Your name").fill(name);
  await press(page, "Log in");
  await says(page, `You are ${name}. Clicks in all tabs: 0.`);
  const secondTab = await open();
  await says(secondTab, `You are ${name}. Clicks in all tabs: 0.`);

  await press(page, "Click");
  await says(secondTab, "Clicks in all tabs: 1.");
  await press(secondTab, "Click");
  for (const tab of [page, secondTab]) await says(tab, `You are ${name}. Clicks in all tabs: 2.`);

  await press(page, "Log out");
  await says(secondTab, "Logged out (destroyed).");
  await secondTab.getByRole("button", { name: "Click" }).waitFor({ state: "hidden" });

  await secondTab.getByLabel("Your name").fill("Grace");
  await secondTab.getByLabel("Your name").press("Enter");
  await says(secondTab, "You are Grace. Clicks in all tabs: 0.");
  await then(secondTab);
  expect(errors).toEqual([]);
  await context.close();
}
