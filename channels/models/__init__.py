"""Tables of channels: what leaves, how it got there, what came back."""

from channels.models.audience import Audience, AudienceDeparture, AudienceMember
from channels.models.best_seller import BestSeller
from channels.models.block import BlockVersion, ContentBlock
from channels.models.call import CallTask
from channels.models.charter import CharterRequest, CharterVersion
from channels.models.content_test import ContentTest
from channels.models.decision_total import DecisionTotal
from channels.models.engagement import EngagementTotal, Hit, HitSpool, LastOpen, Receipt, TrackedLink
from channels.models.feed import DataFeed
from channels.models.flow import Flow
from channels.models.inapp import InAppMessage
from channels.models.message import Attempt, Decision, Message
from channels.models.provider import ProviderAccount
from channels.models.sandbox import SandboxMessage
from channels.models.survey import Survey, SurveyAnswer, SurveyVersion
from channels.models.template import Template, TemplateVersion

__all__ = [
    "Attempt",
    "Audience",
    "AudienceDeparture",
    "AudienceMember",
    "BestSeller",
    "BlockVersion",
    "CallTask",
    "CharterRequest",
    "CharterVersion",
    "ContentBlock",
    "ContentTest",
    "DataFeed",
    "Decision",
    "DecisionTotal",
    "EngagementTotal",
    "Flow",
    "Hit",
    "HitSpool",
    "InAppMessage",
    "LastOpen",
    "Message",
    "ProviderAccount",
    "Receipt",
    "SandboxMessage",
    "Survey",
    "SurveyAnswer",
    "SurveyVersion",
    "Template",
    "TemplateVersion",
    "TrackedLink",
]
