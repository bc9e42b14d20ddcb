/**
 * Facts about Azure AI accounts: their kinds, as Azure Resource Manager names them. Azure adds kinds, so one that is
 * not here may be right. Source: `az cognitiveservices account list-kinds`
 * (learn.microsoft.com/cli/azure/cognitiveservices/account)
 */
export const ACCOUNT_KINDS: readonly string[] = [
  'AIServices',
  'AnomalyDetector',
  'CognitiveServices',
  'ComputerVision',
  'ContentModerator',
  'ContentSafety',
  'ConversationalLanguageUnderstanding',
  'CustomVision.Prediction',
  'CustomVision.Training',
  'Face',
  'FormRecognizer',
  'HealthInsights',
  'ImmersiveReader',
  'LUIS',
  'LUIS.Authoring',
  'MetricsAdvisor',
  'OpenAI',
  'Personalizer',
  'QnAMaker.v2',
  'SpeechServices',
  'TextAnalytics',
  'TextTranslation',
];
