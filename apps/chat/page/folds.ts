import { element } from "./element.ts";

const buttons = [...document.querySelectorAll<HTMLButtonElement>(".folds button")];

/** On a phone the panels beside the conversation are folded, and one at a time can be opened. */
export function startFolds(): void {
  for (const button of buttons)
    button.addEventListener("click", () => open(isOpen(button) ? undefined : button));
  document.addEventListener("keydown", ({ key }) => {
    const opened = buttons.find(isOpen);
    if (key !== "Escape" || !opened) return;
    closeFolds();
    opened.focus();
  });
}

export const closeFolds = () => open(undefined);

const isOpen = (button: HTMLButtonElement) => button.ariaExpanded === "true";

function open(opened: HTMLButtonElement | undefined): void {
  for (const button of buttons) {
    button.ariaExpanded = String(button === opened);
    for (const id of button.getAttribute("aria-controls")?.split(" ") ?? [])
      show(element(id, HTMLElement), button === opened);
  }
}

function show(panel: HTMLElement, isOpen: boolean): void {
  panel.classList.toggle("open", isOpen);
  if (isOpen)
    panel.tabIndex = 0; // it may scroll, so the keyboard must reach it
  else panel.removeAttribute("tabindex");
}
