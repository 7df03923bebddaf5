"""A delivery that its format skips, because its chat has no record of the receiver's."""

NO_RECORD = "no_record"  # `Delivery.discard_reason`
BY = "hookbundle"  # `Delivery.discarded_by`
BY_FORMAT = (BY, NO_RECORD)
