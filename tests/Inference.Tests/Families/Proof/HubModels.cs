namespace Seq2Seq.Inference.Tests.Families.Proof;

/// <summary>Models of the hub that people know, by their model_type: the examples of docs/models.md.</summary>
internal static class HubModels
{
    public static IReadOnlyDictionary<string, string[]> ByModelType { get; } =
        new Dictionary<string, string[]>(StringComparer.Ordinal)
        {
            ["bart"] = ["facebook/bart-large-cnn", "sshleifer/distilbart-cnn-12-6", "Babelscape/rebel-large"],
            ["bigbird_pegasus"] = ["google/bigbird-pegasus-large-arxiv", "google/bigbird-pegasus-large-bigpatent"],
            ["blenderbot"] = ["facebook/blenderbot-400M-distill", "facebook/blenderbot-3B"],
            ["blenderbot-small"] = ["facebook/blenderbot_small-90M"],
            ["encoder-decoder"] =
            [
                "patrickvonplaten/bert2bert_cnn_daily_mail",
                "google/roberta2roberta_L-24_bbc",
                "google/bert2bert_L-24_wmt_de_en",
                "mrm8488/bert2bert_shared-spanish-finetuned-summarization",
                "mrm8488/camembert2camembert_shared-finetuned-french-summarization",
            ],
            ["fsmt"] = ["facebook/wmt19-en-de", "facebook/wmt19-ru-en"],
            ["led"] = ["allenai/led-base-16384", "allenai/led-large-16384-arxiv"],
            ["longt5"] = ["google/long-t5-local-base", "google/long-t5-tglobal-base"],
            ["m2m_100"] = ["facebook/m2m100_418M", "facebook/nllb-200-distilled-600M"],
            ["marian"] = ["Helsinki-NLP/opus-mt-en-de", "Helsinki-NLP/opus-mt-mul-en"],
            ["mbart"] = ["facebook/mbart-large-cc25", "facebook/mbart-large-50-many-to-many-mmt"],
            ["mt5"] = ["google/mt5-small", "csebuetnlp/mT5_multilingual_XLSum"],
            ["mvp"] = ["RUCAIBox/mvp", "RUCAIBox/mtl-summarization"],
            ["nllb-moe"] = ["facebook/nllb-moe-54b"],
            ["pegasus"] = ["google/pegasus-xsum", "google/pegasus-cnn_dailymail", "tuner007/pegasus_paraphrase"],
            ["pegasus_x"] = ["google/pegasus-x-base", "google/pegasus-x-large"],
            ["plbart"] = ["uclanlp/plbart-base", "uclanlp/plbart-multi_task-python"],
            ["prophetnet"] = ["microsoft/prophetnet-large-uncased", "microsoft/prophetnet-large-uncased-cnndm"],
            ["seamless_m4t"] = ["facebook/hf-seamless-m4t-medium", "facebook/hf-seamless-m4t-large"],
            ["seamless_m4t_v2"] = ["facebook/seamless-m4t-v2-large"],
            ["switch_transformers"] = ["google/switch-base-8", "google/switch-base-128"],
            ["t5"] =
            [
                "google-t5/t5-base",
                "google/t5-v1_1-base",
                "google/flan-t5-large",
                "google/byt5-small",
                "grammarly/coedit-large",
            ],
            ["t5gemma"] = ["google/t5gemma-2b-2b-prefixlm-it", "google/t5gemma-b-b-ul2"],
            ["t5gemma2"] = ["google/t5gemma-2-270m-270m"],
            ["umt5"] = ["google/umt5-small", "google/umt5-xxl"],
        };
}
