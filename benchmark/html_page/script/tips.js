// A box with what is known of a cell or heading: for the mouse over it, a finger on it, and the keyboard's focus.
const tips = new WeakMap();

function withTip(element, text) {
  element.dataset.tip = "";
  tips.set(element, text);
  return element;
}

const tip = {
  box: null,
  described: null,
  show(owner) {
    this.hide();
    const at = owner.getBoundingClientRect();
    this.box = h("div", { class: "tip", id: "tip", role: "tooltip" }, tips.get(owner)());
    document.body.append(this.box);
    const left = Math.min(at.left, document.documentElement.clientWidth - this.box.offsetWidth - 8);
    const below = at.bottom + this.box.offsetHeight + 8 < window.innerHeight;
    this.box.style.left = `${Math.max(4, left) + window.scrollX}px`;
    this.box.style.top = `${Math.max(4, below ? at.bottom + 4 : at.top - this.box.offsetHeight - 4) + window.scrollY}px`;
    this.described = owner.closest("[tabindex]");
    this.described?.setAttribute("aria-describedby", "tip");
  },
  hide() {
    this.described?.removeAttribute("aria-describedby");
    this.box?.remove();
    this.box = this.described = null;
  },
};

// What has the tip for an element: itself, what it is in, or what the table's cell or heading holds.
function tipOwner(element) {
  const inside = element.closest(".tabulator-cell, .tabulator-col");
  return element.closest("[data-tip]") ?? inside?.querySelector("[data-tip]") ?? null;
}

function watchForTips() {
  const follow = (event) => {
    const owner = event.target instanceof Element ? tipOwner(event.target) : null;
    if (owner) tip.show(owner);
    else tip.hide();
  };
  for (const event of ["mouseover", "focusin", "click"]) document.addEventListener(event, follow);
  document.addEventListener("focusout", () => tip.hide());
  document.addEventListener("keydown", (event) => event.key === "Escape" && tip.hide());
}
