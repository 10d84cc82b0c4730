// SPDX-License-Identifier: Apache-2.0
#pragma once

// FRESHET_PP_LIST(macro, Type, a, (b, x), ...) expands to macro(Type, a), macro(Type, b, x), ... for up to 64 items.

#define FRESHET_PP_LIST(macro, type, ...) __VA_OPT__(FRESHET_PP_SCAN64(FRESHET_PP_STEP(macro, type, __VA_ARGS__)))

#define FRESHET_PP_STEP(macro, type, item, ...)                                                                        \
    FRESHET_PP_CALL(macro, type, FRESHET_PP_UNWRAP(item))                                                              \
    __VA_OPT__(, FRESHET_PP_AGAIN FRESHET_PP_PARENS(macro, type, __VA_ARGS__))
#define FRESHET_PP_CALL(macro, type, ...) macro(type, __VA_ARGS__)

// The preprocessor does not expand a macro within itself, so each further scan of the text unfolds one more item.
#define FRESHET_PP_AGAIN() FRESHET_PP_STEP
#define FRESHET_PP_PARENS ()
#define FRESHET_PP_SCAN(...) __VA_ARGS__
#define FRESHET_PP_SCAN4(...) FRESHET_PP_SCAN(FRESHET_PP_SCAN(FRESHET_PP_SCAN(FRESHET_PP_SCAN(__VA_ARGS__))))
#define FRESHET_PP_SCAN16(...) FRESHET_PP_SCAN4(FRESHET_PP_SCAN4(FRESHET_PP_SCAN4(FRESHET_PP_SCAN4(__VA_ARGS__))))
#define FRESHET_PP_SCAN64(...) FRESHET_PP_SCAN16(FRESHET_PP_SCAN16(FRESHET_PP_SCAN16(FRESHET_PP_SCAN16(__VA_ARGS__))))

// Expands to the item without the parentheses that it may have.
#define FRESHET_PP_UNWRAP(item) FRESHET_PP_SECOND(FRESHET_PP_PROBE item, ) item
#define FRESHET_PP_PROBE(...) ~, FRESHET_PP_STRIP
#define FRESHET_PP_STRIP(...) __VA_ARGS__
#define FRESHET_PP_SECOND(...) FRESHET_PP_PICK_SECOND(__VA_ARGS__, ~)
#define FRESHET_PP_PICK_SECOND(first, second, ...) second
