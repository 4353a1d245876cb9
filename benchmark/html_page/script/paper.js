// On paper nothing is cut: tables are written out whole, in blocks of as many columns as fit, and what is folded opens.
function watchForPrinting() {
  window.addEventListener("beforeprint", () => {
    afterPrinting();
    for (const details of document.querySelectorAll("main details:not([open])")) {
      details.open = true;
      details.dataset.folded = "";
    }
    for (const bar of document.querySelectorAll("main .controls")) bar.after(h("p", { class: "on-paper" }, chosenWords(bar)));
    for (const [place, { grid, widest }] of grids) if (place.isConnected) place.after(...blocks(grid, widest));
  });
  window.addEventListener("afterprint", afterPrinting);
}

function afterPrinting() {
  for (const element of document.querySelectorAll(".on-paper")) element.remove();
  for (const details of document.querySelectorAll("[data-folded]")) {
    details.open = false;
    delete details.dataset.folded;
  }
}

// What is chosen in a bar of controls, in words.
function chosenWords(bar) {
  return [...bar.querySelectorAll("label")].map((label) => {
    const control = label.querySelector("select, input");
    const name = label.textContent.replace(control.textContent, "").trim();
    if (control.type === "checkbox") return control.checked ? name : "";
    const value = control.selectedOptions?.[0]?.textContent ?? control.value;
    return value && `${name}: ${value}`;
  }).filter(Boolean).join("; ");
}

function blocks(grid, widest) {
  const [first, ...others] = grid.getColumns();
  const width = (column) => column.getDefinition().width;
  const found = [[]];
  for (const column of others) {
    const block = found.at(-1);
    if (block.length && [first, ...block, column].map(width).reduce((a, b) => a + b) > widest) found.push([column]);
    else block.push(column);
  }
  return found.map((block) => blockOf(grid, [first, ...block], width));
}

function blockOf(grid, columns, width) {
  const whole = columns.map(width).reduce((a, b) => a + b);
  const copied = (element) => [...element.childNodes].map((node) => node.cloneNode(true));
  const heading = (column) => h("th", { scope: "col" }, copied(column.getElement().querySelector(".tabulator-col-title")));
  const cell = (row, column) => {
    const shown = row.getCell(column).getElement();
    const more = shown.querySelector("[data-paper]")?.dataset.paper;
    return h("td", {}, copied(shown), more ? h("small", {}, ` ${more}`) : null);
  };
  return h("table", { class: "plain on-paper" },
    h("colgroup", {}, columns.map((column) => h("col", { style: `width:${(100 * width(column)) / whole}%` }))),
    h("thead", {}, h("tr", {}, columns.map(heading))),
    h("tbody", {}, grid.getRows("active").map((row) => h("tr", {}, columns.map((column) => cell(row, column))))));
}
