/** Text with its addresses as links; nothing in it is read as HTML. */
export function withLinks(text: string): readonly (string | HTMLAnchorElement)[] {
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,:;!?'()[\]{}])/i).map((part, index) => {
    const isAddress = index % 2 === 1 && URL.canParse(part);
    return isAddress ? linkTo(part) : part;
  });
}

function linkTo(address: string): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.textContent = address;
  return link;
}
