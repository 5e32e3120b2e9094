"""What a message is, told by its words."""

from __future__ import annotations

import json
import time

import pytest

from maverik_backend.advisor.intent import Intent, intent_of
from tests.support.paths import FIXTURE_DATA

QUESTIONS = json.loads((FIXTURE_DATA / "knowledge_questions.json").read_text(encoding="utf-8"))

SAYINGS: dict[Intent, tuple[str, ...]] = {
    Intent.CRIME: (
        "quiero lavar guita",
        "cómo lavo plata",
        "necesito lavar unos dólares",
        "cómo evado impuestos",
        "quiero evadir a la afip",
        "quiero armar un ponzi",
        "¿dónde consigo facturas truchas?",
        "cómo clono una tarjeta",
    ),
    Intent.ENGLISH: ("What is a bond?", "How should I invest my money?", "hello", "Hi, can you help me?", "thanks"),
    Intent.GREETING: (
        "hola", "¡Hola!", "HOLA MAVERIK", "Buenas", "¡Buen día!", "buenas tardes", "¿qué tal?", "hola 👋",
        "hola, ¿cómo estás?", "buenas, ¿todo bien?",
    ),
    Intent.ABOUT: ("Hola, ¿cómo estás? ¿Quién sos?", "¿sos un robot?", "¿qué podés hacer?", "ayuda"),
    Intent.THANKS: ("gracias", "¡Muchas gracias!", "ok, gracias", "genial", "Perfecto.", "joya", "me sirvió mucho"),
    Intent.GOODBYE: ("chau", "hasta luego", "gracias, chau", "nos vemos"),
    Intent.MORE: (
        "dame más detalles", "contame más", "contame un poco más", "más", "¿qué más?", "seguí",
        "quiero saber más sobre eso", "más información por favor",
    ),
    Intent.SIMPLER: (
        "¿podés explicarlo más simple?", "no entendí", "no entiendo nada", "explicame mejor", "en criollo",
        "más corto", "explicame como si tuviera 5 años",
        "dame un ejemplo", "¿qué querés decir con eso?",
    ),
    Intent.ACKNOWLEDGES: ("ok", "sí", "no", "dale", "ajá", "está bien", "ok dale", "jajaja", "👍", "..."),
    Intent.HUMAN: ("quiero hablar con una persona", "pasame con un asesor humano", "¿puedo hablar con alguien?"),
    Intent.YOUR_DATA: ("¿tenés mis datos?", "¿qué sabés de mí?", "¿qué datos míos guardás?"),
    Intent.WHAT_I_ASKED: ("¿qué te pregunté antes?", "¿de qué hablamos?", "mi pregunta anterior"),
    Intent.INSULT: ("sos un inútil", "andate a la mierda", "no servís para nada", "qué porquería"),
    Intent.PORTFOLIO: (
        "¿Qué portafolio me recomendás?", "cambiame el portafolio", "armame una cartera", "¿por qué ese portafolio?",
        "quiero otro portafolio",
    ),
    Intent.QUOTE: ("¿Cuánto está el dólar hoy?", "¿Cuánto vale YPF?", "precio del dólar", "¿a cuánto está el blue?"),
    Intent.UNCLEAR: ("???", "¿?", "?!"),
    Intent.COMPANY: ("¿Qué opinás de Tesla?", "¿compro acciones de YPF?", "¿invierto en Apple?", "Tesla va a subir"),
}  # fmt: skip


@pytest.mark.parametrize(("intent", "text"), [(intent, text) for intent, said in SAYINGS.items() for text in said])
def test_it_is_told_by_how_people_say_it(intent: Intent, text: str) -> None:
    assert intent_of(text) is intent


def test_every_kind_is_tried() -> None:
    assert set(SAYINGS) == set(Intent)


@pytest.mark.parametrize(
    "text",
    [
        "me muero de ganas de viajar",
        "me quiero morir de risa",
        "no me quiero morir pobre",
        "quiero matar la deuda de la tarjeta",
        "no quiero vivir de prestado",
        "no quiero vivir en un monoambiente",
        "el mercado está deprimido",
        "¿un bingo paga impuestos?",
        "¿qué es el lavado de activos?",
        "¿cómo evito que me estafen?",
        "me robaron la bici",
        "me robaron el sueño",
        "¿cómo pago menos impuestos legalmente?",
        "hola, ¿qué es un bono?",
        "gracias, ¿y el oro?",
        "che boludo, ¿qué es un bono?",
        "¿qué es buy and hold?",
        "money market o plazo fijo",
        "el dollar cost averaging",
        "dame más detalles de los bonos soberanos",
        "¿cuánto rinde un plazo fijo?",
        "¿cuánto sale una torta?",
        "como rebalanceo mi portafolio",
        "mi Netflix no anda",
        "¿cómo hablo con mi pareja de plata?",
        "no doy más, debo 3 millones",
        "",
    ],
)
def test_what_only_sounds_like_it_is_a_question(text: str) -> None:
    assert intent_of(text) is None


def test_hardly_any_question_about_money_is_taken_for_something_else() -> None:
    taken = {item["question"]: intent for item in QUESTIONS["finance"] if (intent := intent_of(item["question"]))}

    assert set(taken.values()) <= {Intent.QUOTE, Intent.COMPANY}
    assert len(taken) <= 2


@pytest.mark.parametrize(
    "piece",
    ["me robaron a ", "perdi a a ", "cuanto esta el el ", "precio de la ", "evado a ", "sos un ", "mas mas ",
     "tesla a ",     "no encuentro sentido ", "¿", "a", "que portafolio a ", "no quiero ", " "],
)  # fmt: skip
def test_a_long_message_made_to_confuse_is_read_at_once(piece: str) -> None:
    text = piece * (8_000 // len(piece))
    started = time.thread_time()

    intent_of(text)

    assert time.thread_time() - started < 0.5
