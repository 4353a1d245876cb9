// Shows the view that the address names; of a page that has no run, only those that need none.
const VIEWS = [
  ["overview", "Overview", overview],
  ["leaderboard", "Leaderboard", leaderboard],
  ["compare", "Compare", compare],
  ["figures", "Figures", figures],
  ["samples", "Samples", samples],
  ["cells", "Cells", cellTable],
  ["models", "Models", cards],
  ["claims", "Claims", claimTable, (data) => data.claims.claims],
  ["further", "Further", further, (data) => data.sections?.length],
];
let DATA = null;

function show() {
  tip.hide();
  state.unfit.clear();
  const views = VIEWS.filter(([, , , there = (data) => data.board]) => there(DATA));
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
    const content = await unpacked("content");
    DATA = content.board ? indexed(content) : content;
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
