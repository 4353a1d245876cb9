// A table that the keyboard can sort and walk through, and whose parts have the roles that readers of screens expect.
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// The tables that are shown, with how wide in pixels a block of each may be on paper.
const grids = new Map();

function makeGrid(place, options, widest = 1250) {
  const grid = new Tabulator(place, options);
  for (const shown of grids.keys()) if (!shown.isConnected) grids.delete(shown);
  grids.set(place, { grid, widest });
  grid.on("tableBuilt", () => {
    const holder = place.querySelector(".tabulator-tableholder");
    holder.setAttribute("role", "rowgroup");
    place.querySelector(".tabulator-table").setAttribute("role", "presentation");
    for (const heading of place.querySelectorAll(".tabulator-col.tabulator-sortable")) {
      heading.tabIndex = 0;
      heading.addEventListener("keydown", (event) => {
        if (event.target !== heading || !["Enter", " "].includes(event.key)) return;
        event.preventDefault();
        heading.click();
      });
    }
    walkable(grid, holder);
  });
  return grid;
}

// Arrow keys move the focus from cell to cell: the table is one stop of the Tab key, however many cells it has.
function walkable(grid, holder) {
  let at = null;
  holder.tabIndex = 0;
  grid.on("cellClick", (_event, cell) => { at = [grid.getRows("active").indexOf(cell.getRow()), grid.getColumns().indexOf(cell.getColumn())]; });
  holder.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const [rows, columns] = [grid.getRows("active"), grid.getColumns()];
    if (!step || !rows.length) return;
    event.preventDefault();
    const moved = (axis, count) => Math.min(Math.max(at[axis] + step[axis], 0), count - 1);
    at = at ? [moved(0, rows.length), moved(1, columns.length)] : [0, 0];
    const cell = rows[at[0]].getCell(columns[at[1]]).getElement();
    cell.tabIndex = -1;
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
    cell.focus({ preventScroll: true });
  });
}
