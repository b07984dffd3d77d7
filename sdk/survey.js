/* The survey of an in-app message. Loaded by segue.js when a message asks something. */

const WHOLE = "flex:1 1 100%";
const BUTTON = "min-height:2.75em;padding:0 1em;font:inherit;color:inherit;background:transparent;border:1px solid;border-radius:.5em;cursor:pointer";

/** A form with a button for each answer, and a comment where one is asked for. `part` makes an element of a
    name, a style and words; `ask` posts to the server; `happened` tells the page. */
export function question({ id, survey, text }, part, ask, happened) {
  const french = document.documentElement.lang.startsWith("fr");
  const form = part("form", `${WHOLE};display:flex;flex-wrap:wrap;gap:.4em`);
  const open = !survey.choices.length;
  if (survey.question !== text) form.append(part("span", WHOLE, survey.question));
  const comment = part("textarea", `${WHOLE};font:inherit;color:inherit;background:transparent;border:1px solid;padding:.4em`);
  comment.rows = 2;
  comment.maxLength = 2000;
  comment.required = open;
  comment.placeholder = survey.comment || survey.question;
  comment.setAttribute("aria-label", comment.placeholder);
  if (survey.comment || open) form.append(comment);
  const choices = open ? [{ value: "", label: french ? "Envoyer" : "Send" }] : survey.choices;
  for (const { value, label } of choices) {
    const choice = part("button", BUTTON, label);
    choice.value = value;
    form.append(choice);
  }
  if (survey.low || survey.high) form.append(part("small", WHOLE, `${survey.low} … ${survey.high}`));
  form.onsubmit = async (event) => {
    event.preventDefault();
    const { value } = event.submitter;
    const answer = { id, value: value ? Number(value) : null, text: comment.value };
    if (!(await ask("answers", answer))) return;
    form.setAttribute("role", "status");
    form.textContent = survey.thanks || (french ? "Merci." : "Thank you.");
    happened("answered");
  };
  return form;
}
