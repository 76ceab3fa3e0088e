"""Integrations: thin adapters between training frameworks and `watch`; each imports its framework only when it is asked for.

``kazami.integrations.lightning.KazamiCallback`` and its siblings of ``transformers``, ``keras`` and ``skorch``; ``kazami.integrations.ignite.attach``;
``kazami.integrations.accelerate.watch``.
"""
