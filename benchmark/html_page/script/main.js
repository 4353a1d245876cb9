// Shows the view that the address names.
const VIEWS = [
  ["overview", "Overview", overview],
  ["leaderboard", "Leaderboard", leaderboard],
  ["compare", "Compare", compare],
  ["figures", "Figures", figures],
  ["samples", "Samples", samples],
  ["cells", "Cells", cellTable],
  ["models", "Models", cards],
  ["further", "Further", further],
];
let DATA = null;

function show() {
  tip.hide();
  state.unfit.clear();
  const views = VIEWS.filter(([name]) => name !== "further" || DATA.sections.length);
  const name = state.choose("view", views.map(([one]) => one));
  const [, title, make] = views.find(([one]) => one === name);
  document.getElementById("views").replaceChildren(...views.map(([one, label]) => h("a", {
    href: `#view=${one}`, id: `view-${one}`, "aria-current": one === name ? "page" : null,
    onclick: (event) => { event.preventDefault(); state.set({ view: one, sort: "" }); show(); document.getElementById(`view-${one}`).focus(); },
  }, label)));
  refill(document.getElementById("main"), h("p", { id: "unfit", class: "fails", role: "status" }), ...make(DATA));
  state.tell();
  document.title = `${title} · ${DATA.run.name} · xaiboard`;
  document.body.dataset.view = name;
}

async function start() {
  try {
    DATA = indexed(await unpacked("content"));
    show();
    // Said of links, of what is typed into the address, and of Back and Forward.
    window.addEventListener("hashchange", show);
    document.querySelector(".skip").addEventListener("click", (event) => {
      event.preventDefault();  // the address holds what is chosen
      document.getElementById("main").focus();
    });
    watchForTips();
    watchForPrinting();
  } catch (error) {
    tellFailure(error);
    throw error;
  }
}
start();
