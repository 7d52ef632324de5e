"""How templates are compiled and called. Jinja's own ways are right, and cost more than anything that a page says."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from jinja2 import Environment, nodes, runtime
from jinja2.compiler import CodeGenerator, Frame

from webapp.markup import escaped


class Compiler(CodeGenerator):
    """Writes out values with `webapp.markup.escaped`."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")


class Context(runtime.Context):
    """Calls a plain function at once. Jinja looks four times whether it wants the context, for each of a thousand calls."""

    def call(self, called: Any, /, *args: Any, **kwargs: Any) -> Any:
        kind = type(called)
        if kind is FunctionType and not called.__dict__:  # where Jinja's decorators leave their mark
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return called(*args, **kwargs)
        if kind is runtime.Macro:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return called(self.eval_ctx, *args, **kwargs)
        return super().call(called, *args, **kwargs)


def init_jinja(env: Environment) -> None:
    """Before the first template is compiled."""
    env.code_generator_class = Compiler
    env.context_class = Context
    env.extend(escaped=escaped)
