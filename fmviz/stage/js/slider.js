// A slider of the page that stands for a number of the law: the picture follows it in every frame, before the server answers.

/** Follows the slider that the law names, if the page has it. The field is looked for anew with every clip: a page may replace it. */
function watchSlider(S) {
  const key = !S.readOnly && S.clip.law?.guide?.slider;
  const field = key ? document.querySelector(`.st-key-${CSS.escape(key)}`) : null;
  if (S.slider?.field !== field) {
    unwatchSlider(S);
    if (field) {
      S.slider = { field, value: null, movedAt: 0, observer: new MutationObserver(() => slid(S)) };
      S.slider.observer.observe(field, { subtree: true, childList: true, attributes: true, attributeFilter: ["value", "aria-valuetext"] });
    }
  }
  if (S.slider && (S.slider.value === S.clip.law.guide.scale || performance.now() - S.slider.movedAt > SETTLE_MS)) S.slider.value = null;
}

function unwatchSlider(S) {
  S.slider?.observer.disconnect();
  S.slider = null;
}

function slid(S) {
  const { slider, clip } = S;
  const value = Number(slider.field.querySelector("input[type=range]")?.value ?? NaN);
  if (!Number.isFinite(value) || !clip.law?.guide || value === (slider.value ?? clip.law.guide.scale)) return;
  slider.value = value === clip.law.guide.scale ? null : value;
  slider.movedAt = performance.now();
  invalidate(S);
}

/** The guidance to draw: with the slider's scale in place of the clip's while the server has not answered. */
function guideOf(S, given) {
  const scale = S.slider?.value ?? given.guide?.scale;
  if (!given.guide || scale === given.guide.scale) return given.guide;
  if (S.slid?.given !== given.guide || S.slid.guide.scale !== scale) S.slid = { given: given.guide, guide: { ...given.guide, scale } };
  return S.slid.guide;
}
