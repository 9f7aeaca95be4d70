namespace Seq2Seq.Inference.Loading;

/// <summary>The stable codes of a refused load: they stand in reports, problem details and metric labels.</summary>
public static class LoadCodes
{
    /// <summary>The folder is absent, is a file, or can't be opened.</summary>
    public const string FolderInvalid = "folder_invalid";

    /// <summary>config.json is absent.</summary>
    public const string ConfigMissing = "config_missing";

    /// <summary>config.json can't be read as a JSON object.</summary>
    public const string ConfigUnreadable = "config_unreadable";

    /// <summary>A key of config.json or generation_config.json has a value that can't be used.</summary>
    public const string ConfigInvalid = "config_invalid";

    /// <summary>No family registers the configuration's model_type.</summary>
    public const string ModelTypeUnknown = "model_type_unknown";

    /// <summary>The weights are quantised in a format that is not read.</summary>
    public const string WeightsQuantized = "weights_quantized";

    /// <summary>The folder holds no weights in a format that is read.</summary>
    public const string WeightsMissing = "weights_missing";

    /// <summary>A weights file can't be opened or read to its end.</summary>
    public const string WeightsUnreadable = "weights_unreadable";

    /// <summary>A weights file breaks the rules of its format.</summary>
    public const string WeightsCorrupt = "weights_corrupt";

    /// <summary>A weights file is something else: an HTML page, a git-lfs pointer, another framework's format.</summary>
    public const string WeightsForeign = "weights_foreign";

    /// <summary>A pickle reaches for something that is not on the allow-list. Nothing of it was executed.</summary>
    public const string WeightsUnsafe = "weights_unsafe";

    /// <summary>A shard index breaks the rules, or names a path outside the model folder.</summary>
    public const string IndexInvalid = "index_invalid";

    /// <summary>A parameter is stored nowhere.</summary>
    public const string TensorMissing = "tensor_missing";

    /// <summary>A parameter is stored with another shape.</summary>
    public const string TensorShape = "tensor_shape";

    /// <summary>A parameter is stored as something other than floating-point numbers.</summary>
    public const string TensorType = "tensor_type";

    /// <summary>A parameter holds NaN or infinity, as stored or once it is float32.</summary>
    public const string TensorNotFinite = "tensor_not_finite";

    /// <summary>The weights hold more layers than the configuration counts.</summary>
    public const string LayersDropped = "layers_dropped";

    /// <summary>Two files hold different values for one parameter, and neither file is whole.</summary>
    public const string WeightsAmbiguous = "weights_ambiguous";

    /// <summary>The end of a weights file is zeros: an interrupted download into a preallocated file.</summary>
    public const string WeightsZeroTail = "weights_zero_tail";

    /// <summary>The calibration file can't be read, or has no lines.</summary>
    public const string CalibrationInvalid = "calibration_invalid";

    /// <summary>The device or the compute type can't be had on this machine.</summary>
    public const string DeviceUnavailable = "device_unavailable";
}
