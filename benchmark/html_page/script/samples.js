// The images that were kept: what the model said, every method's map, and the scores under it.
function noMaps(data) {
  return data.samples.images.length
    ? "No maps are kept of these."
    : "This run keeps no maps; 'xaiboard run --maps' with the same words computes them.";
}

function drawPixels(width, height, colour) {
  const canvas = h("canvas", { width, height });
  const pixels = canvas.getContext("2d").createImageData(width, height);
  for (let at = 0; at < width * height; at++) pixels.data.set([...colour(at), 255], 4 * at);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

function imageCanvas(image) {
  const [channels, height, width] = image.shape;
  const size = height * width;
  const at = (channel, pixel) => image.pixels[channel * size + pixel];
  return drawPixels(width, height, (pixel) => (channels === 3 ? [0, 1, 2].map((channel) => at(channel, pixel)) : Array(3).fill(at(0, pixel))));
}

function described(canvas, label) {
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

function imageTile(data, dataset, sample) {
  const image = data.samples.images.find((one) => one.dataset === dataset && one.sample === sample);
  if (!image) return null;
  return h("figure", { class: "tile" }, described(imageCanvas(image), `image ${sample}`), h("figcaption", {}, `image ${sample}`));
}

// The magnitude that has the full colour in all maps of a method on a model: the largest, or of large maps, in which a few
// pixels of a gradient are many times the others, the 99th percentile.
function fullColour(of) {
  const area = of.shape[0] * of.shape[1];
  const magnitude = (value, at) => (Math.abs(value) / 127) * of.scale[Math.floor(at / area)];
  of.bound ??= (area >= 64 * 64 && d3.quantile(Float32Array.from(of.values, magnitude), 0.99)) || Math.max(...of.scale) || 1;
  return of.bound;
}

// One colour scale for all maps of a method on a model: red above zero, blue below, white at zero.
// Under it its name and, where they are asked for, some scores, as names and numbers.
function mapTile(data, dataset, model, method, sample, caption, scores = []) {
  const of = data.samples.maps.find((one) => one.dataset === dataset && one.model === model && one.method === method);
  const at = of ? of.samples.indexOf(sample) : -1;
  if (at < 0) return null;
  const [height, width] = of.shape;
  const bound = fullColour(of);
  const canvas = drawPixels(width, height, (pixel) => {
    const value = (of.values[at * height * width + pixel] / 127) * (of.scale[at] / bound);
    const colour = d3.rgb(d3.interpolateRdBu(0.5 - value / 2));
    return [colour.r, colour.g, colour.b];
  });
  return h("figure", { class: "tile" }, described(canvas, `map: ${caption}`), h("figcaption", {}, h("strong", {}, caption), " ", h("span", { class: "note" }, `±${number(bound)}`),
    scores.length ? h("dl", { class: "scores" }, scores.flatMap(([name, score]) => [h("dt", {}, breakable(name)), h("dd", {}, score)])) : null));
}

// Which scores stand under each map: the headline's, one family's, or one column's; each choice with its columns.
function scoreChoices(data, dataset, model) {
  const { names, called } = data;
  const columns = data.columnsOf(dataset, (m, k) => m === model && k >= 0);
  const passing = columns.filter((at) => data.health(dataset, model, at)?.passes);
  const families = d3.group(columns, (at) => names.columns[at].family);
  const first = [...families.values()].map((of) => of.find((at) => passing.includes(at)) ?? of[0]);
  const sought = state.get("columns") && columnsFound(data, state.get("columns"), columns);
  return new Map([
    ...(sought.length ? [[`columns found in the leaderboard: ${state.get("columns")}`, sought]] : []),
    ["one column of each family", first],
    ...[...families].map(([family, of]) => [`all of ${family}`, of]),
    ...columns.map((at) => [called.column[at], [at]]),
  ]);
}

function samples(data) {
  const { names, called } = data;
  const kept = data.samples.images;
  if (!kept.length) return [h("h2", {}, "Samples"), h("p", {}, noMaps(data))];
  const bar = h("div", { class: "controls" });
  const strip = h("div", { class: "strip", role: "group", "aria-label": "Images" });
  const said = h("p", { role: "status" });
  const maps = h("div", { class: "maps", id: "maps" });
  const change = (changes) => { state.set(changes); draw(); };

  function draw() {
    const dataset = state.place("dataset", called.dataset, called.dataset[kept[0].dataset]);
    const model = state.place("model", called.model);
    const images = kept.filter((image) => image.dataset === dataset);
    const sample = state.choose("sample", images.map((image) => String(image.sample)));
    const choices = scoreChoices(data, dataset, model);
    const score = state.choose("score", [...choices.keys()]);
    refill(bar,
      chosenData(data, "samples-dataset", dataset, change),
      chosen("Model", "samples-model", called.model, called.model[model], (value) => change({ model: value })),
      chosen("Scores under each map", "samples-score", [...choices.keys()], score, (value) => change({ score: value })),
    );
    refill(strip, ...images.map((image) => h("button", {
      type: "button", id: `image-${image.sample}`, "aria-pressed": String(String(image.sample) === sample), "aria-label": `image ${image.sample}`,
      onclick: () => change({ sample: String(image.sample) }),
    }, imageCanvas(image))));
    said.textContent = predictionOf(data, dataset, model, Number(sample));
    refill(maps, imageTile(data, dataset, Number(sample)), ...names.methods.map((method, at) =>
      mapTile(data, dataset, model, at, Number(sample), marked(method), scoresOf(data, dataset, model, at, Number(sample), choices.get(score) ?? []))));
    state.tell();
  }

  queueMicrotask(draw);
  return [
    h("h2", {}, "Samples"),
    h("p", { class: "note" }, "Red speaks for the explained class, blue against it. All maps of a method on a model have one scale, the number under each; maps of different methods have different units."),
    bar, strip, said, maps,
  ];
}

// What the model makes of an image: its prediction, where it is known, the label, and whether they agree.
function predictionOf(data, dataset, model, sample) {
  const found = data.samples.predictions.find(([d, m, s]) => d === dataset && m === model && s === sample);
  if (!found) return `Image ${sample}: this model has no scores on it.`;
  const [, , , target, label, correct] = found;
  const named = (at) => (data.run.classes[data.names.datasets[dataset]]?.[at] ?? `class ${at}`);
  const predicted = data.run.conditions.target === "label" ? (correct ? label : null) : target;
  return [
    `Image ${sample}: `, predicted === null ? "the prediction is wrong" : `predicted ${named(predicted)}, which is ${correct ? "right" : "wrong"}`,
    `; the label is ${named(label)}; the maps explain ${named(target)}.`,
  ].join("");
}

function scoresOf(data, dataset, model, method, sample, columns) {
  const place = data.samples.scores[dataset].samples.indexOf(sample);
  return columns.map((at) => {
    const scores = data.scores(dataset, model, method, at);
    const score = scores && place >= 0 ? number(scores[place]) : "";
    return [`${data.called.column[at]}\u00a0${ARROW[data.names.columns[at].direction]}`.trim(), score || "no score"];
  });
}
